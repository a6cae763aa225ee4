//! What the figures were measured on.

use std::process::Command;

/// The processor, the kernel, and the versions of what takes part; one a line of Markdown.
pub fn description(load: &str, versions: &[String]) -> String {
    let cpus = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let mut lines = vec![
        format!("- processor: {}, {cpus} cores", processor()),
        format!("- memory: {}", memory()),
        format!("- load average before the run: {load}"),
        format!("- kernel: {}", output("uname", &["-sr"])),
        format!("- compiler: {}", output("rustc", &["--version"])),
    ];
    lines.extend(versions.iter().map(|version| format!("- {version}")));
    lines.push(format!("- commit: {}", commit()));
    lines.join("\n")
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    model.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown").to_owned()
}

fn memory() -> String {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = info.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next());
    let kib: u64 = kib.and_then(|kib| kib.parse().ok()).unwrap_or(0);
    format!("{} GiB", kib.div_ceil(1024 * 1024))
}

/// That of the last minute; anything near the number of cores means that others used the machine too.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn commit() -> String {
    let changed = !output("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty();
    let head = output("git", &["rev-parse", "--short", "HEAD"]);
    if changed { format!("{head} with changes") } else { head }
}

/// What a program prints; empty if it cannot be started.
pub fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().ok();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
