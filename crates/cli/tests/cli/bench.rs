use crate::support::Home;

#[test]
fn a_bench_measures_on_a_database_of_its_own_and_leaves_nothing_behind() {
    let home = Home::new();
    let report = home.json(&["bench", "--tasks", "200", "--singles", "5"]);
    assert!(report["drain_per_second"].as_f64().unwrap() > 0.0, "{report}");
    assert!(report["latency_ms"]["p99"].as_f64().unwrap() > 0.0, "{report}");
    assert_eq!(std::fs::read_dir(home.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_bench_may_measure_the_store_in_memory() {
    let report = Home::new().json(&["bench", "--tasks", "50", "--singles", "2", "--broker", "memory:"]);
    assert_eq!(report["store"], "memory:");
}
