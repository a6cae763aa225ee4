/// The name of this machine, for people; `localhost` if it has none that can be read.
pub fn hostname() -> String {
    name().filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".into())
}

#[cfg(unix)]
fn name() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().map(Into::into)
}

#[cfg(not(unix))]
fn name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}
