use std::path::Path;
use std::process::Command;

use cardoon_operations::{Kind, Tool, files, succeeds, yaml};
use cardoon_testkit::cardoon_binary;

/// Units are verified as `systemctl` reads them, with the built program in the place of the installed one.
fn verify(text: &str, name: &str) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let program = cardoon_binary()?.display().to_string();
    let unit = folder.path().join(name);
    std::fs::write(&unit, text.replace("/usr/local/bin/cardoon", &program))?;
    let said = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output()?;
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    anyhow::ensure!(said.is_empty(), "{name}: {said}");
    Ok(said)
}

fn read(path: &Path) -> (String, String) {
    (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap())
}

#[test]
fn systemd_has_nothing_against_the_units() {
    for path in files(Kind::Units).unwrap() {
        let (name, text) = read(&path);
        verify(&text, &name).unwrap();
        verify(&text.replace("[Service]", "[Service]\nNoSuchSetting=yes"), &name).unwrap_err();
    }
}

#[test]
fn units_are_hardened_and_wait_for_a_drain() {
    for path in files(Kind::Units).unwrap() {
        let (name, text) = read(&path);
        for line in [
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "StateDirectory=cardoon",
            "KillSignal=SIGTERM",
            "Restart=on-failure",
        ] {
            assert!(text.lines().any(|found| found == line), "{name}: {line}");
        }
        let stop = text.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
        let seconds: u32 = stop.strip_suffix('s').unwrap().parse().unwrap();
        assert!(seconds > 25 || !name.contains("worker"), "{name}: {stop} is not above the grace of 25 s");
    }
}

#[test]
fn the_linter_of_containers_has_nothing_to_say() {
    for path in files(Kind::Containers).unwrap() {
        succeeds(Tool::Hadolint.command().unwrap().arg(&path)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("Containerfile");
    std::fs::write(&bad, "FROM debian\nRUN cd /tmp && sudo make\n").unwrap();
    succeeds(Tool::Hadolint.command().unwrap().arg(&bad)).unwrap_err();
}

#[test]
fn a_container_runs_as_nobody_and_keeps_its_data() {
    for path in files(Kind::Containers).unwrap() {
        let (_, text) = read(&path);
        let last = text.split("\nFROM ").last().unwrap();
        let user = last.lines().find_map(|line| line.strip_prefix("USER ")).unwrap();
        assert!(!user.starts_with('0') && !user.starts_with("root"), "{user}");
        assert!(last.lines().any(|line| line == "VOLUME /data"));
    }
}

#[test]
fn compose_files_are_what_the_specification_asks_for() {
    let check = |path: &Path| {
        let mut command = Tool::CheckJsonschema.command().unwrap();
        succeeds(command.args(["--builtin-schema", "vendor.compose-spec"]).arg(path))
    };
    for path in files(Kind::Compose).unwrap() {
        check(&path).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.yaml");
    std::fs::write(&bad, "services:\n  one:\n    imagge: none\n").unwrap();
    check(&bad).unwrap_err();
}

#[test]
fn every_service_has_a_health_check_and_only_the_loopback_reaches_one() {
    for path in files(Kind::Compose).unwrap() {
        let file = yaml(&path).unwrap();
        for (name, service) in file["services"].as_object().unwrap() {
            assert!(service["healthcheck"]["test"].is_array(), "{name}");
            for port in service["ports"].as_array().into_iter().flatten() {
                assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}: {port}");
            }
        }
        assert!(file["secrets"]["gateway_tokens"]["file"].is_string());
    }
}

#[test]
fn the_redis_of_the_compose_file_keeps_what_was_acknowledged() {
    let path = cardoon_operations::folder().join("compose/redis.yaml");
    let command = yaml(&path).unwrap()["services"]["redis"]["command"].to_string();
    for pair in
        ["\"--appendonly\",\"yes\"", "\"--appendfsync\",\"always\"", "\"--maxmemory-policy\",\"noeviction\""]
    {
        assert!(command.contains(pair), "{command}");
    }
}
