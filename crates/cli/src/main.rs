fn main() -> std::process::ExitCode {
    cardoon_cli::run_with(&std::env::args_os().collect::<Vec<_>>(), None).into()
}
