//! The Lua scripts, as the server knows them.

use redis::Script as Hashed;

/// A script by its hash; its text is sent only to a server that does not have it.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) text: String,
    pub(crate) hash: String,
}

macro_rules! scripts {
    ($($name:ident $file:literal;)*) => {
        /// All scripts.
        #[derive(Debug)]
        pub(crate) struct Scripts {
            $(pub(crate) $name: Script,)*
        }

        impl Scripts {
            /// The scripts for a server of this major version.
            pub(crate) fn for_version(major: u32) -> Self {
                Self { $($name: Script::new(include_str!($file), major),)* }
            }

            #[cfg(test)]
            pub(crate) fn all(&self) -> Vec<(&'static str, &Script)> {
                vec![$((stringify!($name), &self.$name),)*]
            }
        }
    };
}

scripts! {
    apply "apply.lua";
    beat "beat.lua";
    claim "claim.lua";
    entry "entry.lua";
    find "find.lua";
    join "join.lua";
    leave "leave.lua";
    recover "recover.lua";
    session "session.lua";
    settle "settle.lua";
    sweep "sweep.lua";
}

/// What a script says since Redis 7, so that it runs when the server is at its memory limit: all of them help to drain.
const ALWAYS: &str = "#!lua flags=allow-oom\n";

/// Older servers cannot read that line. They refuse a command that needs memory unless the script has written before.
const ALWAYS_BEFORE_7: &str = "redis.call('DEL', 'cardoon:nothing')\n";

impl Script {
    fn new(body: &str, major: u32) -> Self {
        let first = if major >= 7 { ALWAYS } else { ALWAYS_BEFORE_7 };
        let text = format!("{first}{}\n{body}", include_str!("common.lua"));
        let hash = Hashed::new(&text).get_hash().to_owned();
        Self { text, hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_testkit::RedisServer;

    #[tokio::test]
    async fn the_server_takes_each_script_and_calls_it_by_the_hash_that_we_do() {
        let server = RedisServer::start().await.unwrap();
        for scripts in [Scripts::for_version(6), Scripts::for_version(7)] {
            for (name, script) in scripts.all() {
                let hash = server.command(&["SCRIPT", "LOAD", &script.text]).await.unwrap();
                assert_eq!(hash, script.hash, "{name}");
            }
        }
    }

    #[tokio::test]
    async fn what_helps_to_drain_runs_when_the_memory_is_full() {
        let server = RedisServer::start().await.unwrap();
        server.command(&["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
        assert!(server.command(&["SET", "a", "1"]).await.is_err());
        for scripts in [Scripts::for_version(6), Scripts::for_version(7)] {
            let drawn = server.command(&["EVAL", &scripts.session.text, "1", "last"]).await.unwrap();
            assert!(drawn.parse::<u64>().is_ok(), "{drawn}");
        }
    }

    #[test]
    fn only_newer_servers_get_the_line_that_older_ones_cannot_read() {
        assert!(Scripts::for_version(7).settle.text.starts_with("#!lua"));
        assert!(!Scripts::for_version(6).settle.text.contains("#!lua"));
    }
}
