use cardoon_operations::{
    Invocation, Kind, cardoon, files, of_compose, of_container, of_unit, succeeds, yaml,
};

fn invocations() -> Vec<Invocation> {
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    let units = files(Kind::Units).unwrap();
    let containers = files(Kind::Containers).unwrap();
    let composes = files(Kind::Compose).unwrap();
    let mut all: Vec<_> = units.iter().map(|path| of_unit(&read(path)).unwrap()).collect();
    all.extend(containers.iter().flat_map(|path| of_container(&read(path)).unwrap()));
    all.extend(composes.iter().flat_map(|path| of_compose(&yaml(path).unwrap()).unwrap()));
    all
}

/// Whether this command line can be read: what stands before `--help` is looked at first.
fn is_read(words: &[&str]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    succeeds(cardoon(folder.path()).unwrap().args(words).arg("--help")).is_ok()
}

#[test]
fn every_command_line_can_be_read() {
    assert!(!is_read(&["worker", "--no-such-option"]), "the check would see nothing");
    let invocations = invocations();
    assert_eq!(invocations.len(), 11);
    for invocation in invocations {
        let words: Vec<&str> = invocation.words.iter().map(String::as_str).collect();
        assert!(is_read(&words), "{words:?}");
    }
}

#[test]
fn every_variable_is_a_setting() {
    for invocation in invocations() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = cardoon(folder.path()).unwrap();
        settings.args(["settings", "show"]);
        settings.envs(invocation.environment);
        succeeds(&mut settings).unwrap();
    }
}
