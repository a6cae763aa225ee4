use std::sync::OnceLock;

use crate::Random;

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

/// A number that tells this boot of the machine from all others; the same in all of its processes. Where the system
/// has none it is always the same.
pub fn boot_id() -> u64 {
    static ID: OnceLock<u64> = OnceLock::new();
    *ID.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).take(15).collect();
        u64::from_str_radix(&digits, 16).unwrap_or(1)
    })
}

/// A port that the system gives to nobody by itself, for a server that will be gone for a while and come back: from
/// the others, a client that tries to reach it meanwhile could be given the server's own port, and talk to itself.
/// Somebody may listen there already.
pub fn quiet_port(random: &Random) -> u16 {
    const FIRST: u16 = 15_000;
    const COUNT: u64 = 15_000;
    FIRST + random.below(COUNT) as u16
}
