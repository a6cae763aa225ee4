/// What an operator does, by its name; nothing if rows only pass through it.
pub(super) fn step(operator: &str) -> Option<&'static str> {
    match operator {
        "CsvExec" | "DataSourceExec" => Some("read"),
        "AggregateExec" | "DirectAggregateExec" => Some("group"),
        "SortExec" => Some("sort"),
        name if name.contains("Join") => Some("join"),
        name if name.contains("WindowAgg") => Some("window"),
        _ => None,
    }
}

/// What a stage of a cluster does, by the names of its operators, the last one first.
pub fn stage_name<'a>(operators: impl IntoIterator<Item = &'a str>) -> String {
    let mut steps: Vec<&str> = operators.into_iter().filter_map(step).collect();
    steps.reverse();
    steps.dedup();
    if steps.is_empty() { "gather".to_owned() } else { steps.join(" + ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_called_by_what_it_does() {
        let named = |names: &[&str]| stage_name(names.iter().copied());
        let first = ["SortShuffleWriterExec", "DirectAggregateExec", "FilterExec", "DataSourceExec"];
        assert_eq!(named(&first), "read + group");
        assert_eq!(
            named(&["SortExec", "AggregateExec", "AggregateExec", "ShuffleReaderExec"]),
            "group + sort"
        );
        assert_eq!(named(&["SortPreservingMergeExec", "ShuffleReaderExec"]), "gather");
    }
}
