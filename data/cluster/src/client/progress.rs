//! How far a query has come on its executors.

use ballista_core::serde::protobuf::{GetJobMetricsParams, JobStageMetrics, OperatorMetricsSet};
use cardoon_engine::{Counts, Files, Progress, Stage, stage_name};
use datafusion::physical_plan::metrics::MetricsSet;

use super::SchedulerCalls;
use crate::state::StageState;

/// Of a query that has ended; nothing if the scheduler does not tell, which takes nothing from the answer.
pub(super) async fn last(calls: &mut SchedulerCalls, job: String) -> Option<Vec<StageState>> {
    let told = calls.get_job_metrics(GetJobMetricsParams { job_id: job }).await.ok()?;
    Some(told.into_inner().stages.into_iter().map(ended).collect())
}

/// What all stages of a query that reads `files` have done.
pub(super) fn of(files: &Files, mut stages: Vec<StageState>) -> Progress {
    stages.sort_by_key(|stage| stage.id);
    let mut counts = Counts::default();
    for stage in &stages {
        counts += stage.counts;
    }
    let stage = |StageState { name, tasks_done, tasks, rows, .. }| Stage { name, rows, tasks_done, tasks };
    Progress {
        rows: counts.rows,
        bytes: files.done(&counts),
        all_bytes: files.all(),
        bad_rows: counts.bad_rows,
        spilled_bytes: counts.spilled_bytes,
        stages: stages.into_iter().map(stage).collect(),
        ..Progress::default()
    }
}

fn ended(JobStageMetrics { stage_id, partitions, operators }: JobStageMetrics) -> StageState {
    let name = stage_name(operators.iter().map(|operator| operator.operator_type.as_str()));
    let metrics: Vec<MetricsSet> = operators
        .into_iter()
        .filter(|operator| !operator.metrics.is_empty())
        // A kind of metric that is not known is none of ours.
        .filter_map(|operator| OperatorMetricsSet { metrics: operator.metrics }.try_into().ok())
        .collect();
    let tasks = partitions.into();
    StageState { id: stage_id as usize, name, tasks_done: tasks, tasks, ..StageState::counted(&metrics) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ballista_core::serde::protobuf::operator_metric::Metric;
    use ballista_core::serde::protobuf::{NamedCount, OperatorMetric, OperatorWithMetrics};
    use cardoon_engine::{BAD_ROWS, BYTES_READ, ROWS_READ};
    use datafusion::arrow::datatypes::Schema;
    use datafusion::physical_plan::ExecutionPlan;
    use datafusion::physical_plan::empty::EmptyExec;

    use super::*;

    fn stage(stage_id: u32, operators: Vec<(&str, Vec<Metric>)>) -> JobStageMetrics {
        let metric = |metric| OperatorMetric { partition: None, metric: Some(metric) };
        let operator = |(name, metrics): (&str, Vec<Metric>)| OperatorWithMetrics {
            operator_type: name.to_owned(),
            metrics: metrics.into_iter().map(metric).collect(),
            ..OperatorWithMetrics::default()
        };
        JobStageMetrics { stage_id, partitions: 4, operators: operators.into_iter().map(operator).collect() }
    }

    #[test]
    fn what_all_stages_have_read_and_spilled_is_added_up() {
        let count = |name: &str, value| Metric::Count(NamedCount { name: name.into(), value });
        let scan = || vec![count(ROWS_READ, 5), count(BYTES_READ, 70), count(BAD_ROWS, 1), count("other", 9)];
        let writer = |rows| ("SortShuffleWriterExec", vec![Metric::OutputRows(rows)]);
        let stages = [
            stage(2, vec![writer(3), ("AggregateExec", vec![Metric::SpilledBytes(8)])]),
            stage(1, vec![writer(7), ("DataSourceExec", scan())]),
            stage(0, vec![writer(5), ("FilterExec", Vec::new()), ("DataSourceExec", scan())]),
        ];
        let plan: Arc<dyn ExecutionPlan> = Arc::new(EmptyExec::new(Arc::new(Schema::empty())));
        let progress = of(&Files::of(&plan), stages.into_iter().map(ended).collect());
        assert_eq!((progress.rows, progress.bytes, progress.bad_rows), (10, 140, 2));
        assert_eq!(progress.spilled_bytes, 8);
        let stage = |name: &str, rows| Stage { name: name.into(), rows, tasks_done: 4, tasks: 4 };
        assert_eq!(progress.stages, [stage("read", 5), stage("read", 7), stage("group", 3)]);
    }
}
