//! The queries that run, and how far each of their stages is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ballista_core::serde::protobuf::task_status::Status;
use ballista_scheduler::state::execution_graph::ExecutionGraph;
use ballista_scheduler::state::execution_stage::{ExecutionStage, RunningStage, TaskInfo};
use cardoon_engine::stage_name;
use datafusion::physical_plan::ExecutionPlan;

use super::Server;
use crate::state::{JobState, StageState, TaskState};

/// What executors have told last of the tasks that they carry out.
#[derive(Debug, Clone, Default)]
pub(super) struct Told(Arc<Mutex<HashMap<String, Vec<TaskState>>>>);

impl Told {
    /// Executors that are not among the `known` ones are forgotten.
    pub(super) fn hear(&self, executor: String, tasks: Vec<TaskState>, known: &[String]) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert(executor, tasks);
        told.retain(|executor, tasks| !tasks.is_empty() && known.contains(executor));
    }

    /// All of a job.
    fn of(&self, job: &str) -> Vec<TaskState> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.values().flatten().filter(|task| task.job == job).cloned().collect()
    }
}

/// The queries that run.
pub(super) async fn jobs(server: &Server, told: &Told) -> Vec<JobState> {
    let mut jobs = Vec::new();
    for (id, job) in server.state.task_manager.get_running_job_cache().iter() {
        let graph = job.execution_graph.read().await;
        let told = told.of(id.as_ref());
        let stages = stages(&**graph, &told);
        jobs.push(JobState { id: id.to_string(), name: graph.job_name().to_owned(), stages });
    }
    jobs.sort_by(|left, right| left.id.cmp(&right.id));
    jobs
}

fn stages(graph: &dyn ExecutionGraph, told: &[TaskState]) -> Vec<StageState> {
    let of = |(id, stage): (&usize, &ExecutionStage)| {
        let running = told.iter().filter(|task| task.stage == *id);
        StageState { id: *id, name: name(stage.plan()), ..counted(stage, running) }
    };
    graph.stages().iter().map(of).collect()
}

fn counted<'a>(stage: &ExecutionStage, running: impl Iterator<Item = &'a TaskState>) -> StageState {
    match stage {
        ExecutionStage::Running(stage) => running_stage(stage, running),
        ExecutionStage::Successful(stage) => {
            let tasks = stage.partitions as u64;
            StageState { tasks, tasks_done: tasks, ..StageState::counted(&stage.stage_metrics) }
        }
        ExecutionStage::Resolved(stage) => {
            StageState { tasks: stage.partitions as u64, ..StageState::default() }
        }
        ExecutionStage::UnResolved(_) | ExecutionStage::Failed(_) => StageState::default(),
    }
}

/// Tasks that have ended are in the stage's metrics; of others counts what was told.
fn running_stage<'a>(stage: &RunningStage, running: impl Iterator<Item = &'a TaskState>) -> StageState {
    let has_ended = |task: &&TaskInfo| matches!(task.task_status, Status::Successful(_));
    let ended = stage.task_infos.iter().filter(has_ended);
    let tasks_done = ended.map(|task| task.global_input_partition_ids.len() as u64).sum();
    let metrics = stage.stage_metrics.as_deref().unwrap_or_default();
    let tasks = stage.partitions as u64;
    let mut told = StageState { tasks_done, tasks, ..StageState::counted(metrics) };
    let runs = |task: usize| {
        stage.task_infos.get(task).is_some_and(|task| matches!(task.task_status, Status::Running(_)))
    };
    for task in running.filter(|task| runs(task.task)) {
        told.rows += task.rows;
        told.counts += task.counts;
    }
    told
}

fn name(plan: &dyn ExecutionPlan) -> String {
    let mut operators = Vec::new();
    look(plan, &mut operators);
    stage_name(operators)
}

fn look<'a>(plan: &'a dyn ExecutionPlan, operators: &mut Vec<&'a str>) {
    operators.push(plan.name());
    plan.children().into_iter().for_each(|input| look(input.as_ref(), operators));
}
