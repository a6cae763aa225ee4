//! What executors have read and spilled for a query.

use ballista_core::serde::protobuf::operator_metric::Metric;
use ballista_core::serde::protobuf::{GetJobMetricsParams, JobStageMetrics};
use cardoon_engine::{BAD_ROWS, BYTES_READ, Progress, ROWS_READ};

use super::SchedulerCalls;

/// Of a query that has ended; nothing if the scheduler does not tell, which takes nothing from the answer.
pub(super) async fn of(calls: &mut SchedulerCalls, job: String) -> Progress {
    let asked = calls.get_job_metrics(GetJobMetricsParams { job_id: job }).await;
    asked.map(|told| sum(&told.into_inner().stages)).unwrap_or_default()
}

fn sum(stages: &[JobStageMetrics]) -> Progress {
    let operators = stages.iter().flat_map(|stage| &stage.operators);
    let metrics =
        operators.flat_map(|operator| &operator.metrics).filter_map(|metric| metric.metric.as_ref());
    metrics.fold(Progress::default(), |mut progress, metric| {
        match metric {
            Metric::SpilledBytes(bytes) => progress.spilled_bytes += bytes,
            Metric::Count(count) if count.name == ROWS_READ => progress.rows += count.value,
            Metric::Count(count) if count.name == BYTES_READ => progress.bytes += count.value,
            Metric::Count(count) if count.name == BAD_ROWS => progress.bad_rows += count.value,
            _ => {}
        }
        progress
    })
}

#[cfg(test)]
mod tests {
    use ballista_core::serde::protobuf::{NamedCount, OperatorMetric, OperatorWithMetrics};

    use super::*;

    #[test]
    fn what_all_stages_have_read_and_spilled_is_added_up() {
        let count = |name: &str, value| Metric::Count(NamedCount { name: name.into(), value });
        let stage = |metrics: Vec<Metric>| {
            let metric = |metric| OperatorMetric { partition: None, metric: Some(metric) };
            let metrics = metrics.into_iter().map(metric).collect();
            JobStageMetrics {
                operators: vec![OperatorWithMetrics { metrics, ..Default::default() }],
                ..Default::default()
            }
        };
        let scan = vec![count(ROWS_READ, 5), count(BYTES_READ, 70), count(BAD_ROWS, 1), count("other", 9)];
        let stages =
            [stage(scan.clone()), stage(scan), stage(vec![Metric::SpilledBytes(8), Metric::OutputRows(3)])];
        let expected =
            Progress { rows: 10, bytes: 140, bad_rows: 2, spilled_bytes: 8, ..Progress::default() };
        assert_eq!(sum(&stages), expected);
    }
}
