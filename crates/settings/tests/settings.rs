//! What wins, where it came from, and what is refused.
#![expect(clippy::unwrap_used, reason = "a helper of a test may panic")]

use std::time::Duration;

use cardoon_errors::Code;
use cardoon_settings::{Ack, ByteSize, Flag, Origin, Settings, Sources};

fn environment(pairs: &[(&str, &str)]) -> Sources {
    let environment = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Sources { environment, ..Sources::default() }
}

fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardoon.toml"), text).unwrap();
    let below = folder.path().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    (folder, Sources { folder: Some(below), ..Sources::default() })
}

fn origin(settings: &Settings, name: &str) -> Origin {
    settings.entries().into_iter().find(|entry| entry.name == name).unwrap().origin
}

#[test]
fn without_sources_every_setting_has_its_default() {
    let settings = Settings::load(&Sources::default()).unwrap();
    assert_eq!(settings.worker.grace, Duration::from_secs(25));
    assert_eq!(settings.worker.queues, ["celery"]);
    assert_eq!(settings.worker.ack, Ack::Late);
    assert_eq!(settings.limits.message_size, ByteSize(16 << 20));
    assert!(settings.broker.url.is_none());
    assert!(settings.entries().iter().all(|entry| entry.origin == Origin::Default));
    for entry in settings.entries() {
        assert_eq!(entry.value, entry.default, "{}: a default is written as it is shown", entry.name);
        assert!(!entry.description.is_empty(), "{}", entry.name);
    }
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let (_folder, mut sources) = file("[worker]\nconcurrency = 2\ngrace = \"1m\"\nqueues = [\"a\", \"b\"]\n");
    sources.environment = vec![
        ("CARDOON_WORKER__CONCURRENCY".into(), "3".into()),
        ("CARDOON_WORKER__GRACE".into(), "2m".into()),
    ];
    sources.flags = vec![Flag { name: "worker.grace", option: "--grace", value: "3m".into() }];
    let settings = Settings::load(&sources).unwrap();
    assert_eq!(settings.worker.queues, ["a", "b"]);
    assert!(matches!(origin(&settings, "worker.queues"), Origin::File(_)));
    assert_eq!(settings.worker.concurrency.unwrap().get(), 3);
    assert_eq!(
        origin(&settings, "worker.concurrency"),
        Origin::Environment("CARDOON_WORKER__CONCURRENCY".into())
    );
    assert_eq!(settings.worker.grace, Duration::from_mins(3));
    assert_eq!(origin(&settings, "worker.grace"), Origin::Flag("--grace".into()));
}

#[test]
fn the_short_names_of_the_stores_are_understood() {
    let settings = Settings::load(&environment(&[("CARDOON_BROKER", "redis://me:hunter2@db")])).unwrap();
    assert_eq!(settings.broker.url.as_ref().unwrap().expose(), "redis://me:hunter2@db");
    assert!(!format!("{:?}{settings:?}", settings.entries()).contains("hunter2"));
    let (_folder, sources) = file("broker = \"sqlite:/srv/a.db\"");
    assert_eq!(Settings::load(&sources).unwrap().broker.url.unwrap().expose(), "sqlite:/srv/a.db");
}

#[test]
fn a_relative_path_in_the_file_is_meant_from_its_folder_and_one_in_the_environment_as_it_is() {
    let (folder, mut sources) = file("broker = \"sqlite:a.db\"\n[results]\nurl = \"sqlite:///b.db\"\n");
    let settings = Settings::load(&sources).unwrap();
    let meant = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    assert_eq!(settings.broker.url.unwrap().expose(), meant("a.db"));
    assert_eq!(settings.results.url.unwrap().expose(), meant("b.db"));
    sources.environment = vec![("CARDOON_BROKER".into(), "sqlite:a.db".into())];
    assert_eq!(Settings::load(&sources).unwrap().broker.url.unwrap().expose(), "sqlite:a.db");
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_known_one() {
    let (_folder, sources) = file("[worker]\nconcurency = 2\n");
    let error = Settings::load(&sources).unwrap_err();
    assert_eq!(error.code(), Code::UnknownSetting);
    assert!(error.next_step().unwrap().contains("worker.concurrency"), "{:?}", error.next_step());
    for variable in ["CARDOON_WORKER__CONCURENCY", "CARDOON_BROKR"] {
        let error = Settings::load(&environment(&[(variable, "1")])).unwrap_err();
        assert_eq!(error.code(), Code::UnknownSetting);
        assert!(error.next_step().unwrap().contains("did you mean `CARDOON_"), "{:?}", error.next_step());
    }
}

#[test]
fn variables_of_others_and_empty_ones_are_passed_over() {
    let sources = environment(&[
        ("CARDOON_LOG", "debug"),
        ("CARDOON_PET_NAME", "thistle"),
        ("CARDOON_BROKER", ""),
        ("PATH", "/bin"),
    ]);
    assert!(Settings::load(&sources).unwrap().broker.url.is_none());
}

#[test]
fn a_value_that_cannot_be_read_is_refused_with_the_accepted_forms() {
    for (variable, value, expected) in [
        ("CARDOON_WORKER__GRACE", "30", "\"30s\""),
        ("CARDOON_LIMITS__MESSAGE_SIZE", "big", "\"16MiB\""),
        ("CARDOON_WORKER__CONCURRENCY", "0", "from 1 on"),
        ("CARDOON_WORKER__QUEUES", "a,,b", "a list"),
        ("CARDOON_WORKER__ACK", "never", "\"late\" or \"early\""),
        ("CARDOON_RETRY__JITTER", "perhaps", "true or false"),
    ] {
        let error = Settings::load(&environment(&[(variable, value)])).unwrap_err();
        assert_eq!(error.code(), Code::BadSetting);
        assert!(error.findings().iter().any(|finding| finding.contains(expected)), "{:?}", error.findings());
    }
}

#[test]
fn a_heartbeat_that_the_lease_cannot_bear_is_refused() {
    let error = Settings::load(&environment(&[("CARDOON_WORKER__HEARTBEAT", "10s")])).unwrap_err();
    assert_eq!(error.code(), Code::BadSetting);
}

#[test]
fn a_broken_file_is_refused_with_its_line() {
    let (_folder, sources) = file("[worker]\nconcurrency = \n");
    let error = Settings::load(&sources).unwrap_err();
    assert_eq!(error.code(), Code::BadSettingsFile);
    assert!(error.findings().contains(&"line 2".to_owned()), "{:?}", error.findings());
}

#[test]
fn the_settings_that_the_quickstart_shows_can_be_read_in_both_languages() {
    let documents =
        [include_str!("../../../docs/quickstart.md"), include_str!("../../../docs/zh/quickstart.md")];
    for document in documents {
        let mut blocks = document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let shown = blocks.find(|block| block.starts_with("[worker]")).unwrap();
        let (_folder, sources) = file(shown);
        let settings = Settings::load(&sources).unwrap();
        assert_eq!((settings.worker.concurrency.unwrap().get(), settings.retry.max), (8, 5));
        assert!(settings.is_set("worker.queues") && !settings.is_set("worker.lease"));
    }
}
