//! The reasons in words.

use std::time::Duration;

use cardoon_errors::Language;

use super::judge::Reason;
use crate::text::cut;
use crate::times::ago;

/// Longest piece of a task's own text in a sentence.
const PIECE: usize = 200;

/// The reason, for people.
pub fn sentence(reason: &Reason, language: Language) -> String {
    match language {
        Language::English => english(reason),
        Language::Chinese => chinese(reason),
    }
}

fn english(reason: &Reason) -> String {
    match reason {
        Reason::Unknown => "No task has this id: no message, no record and no dead letter.".into(),
        Reason::Succeeded { attempts, worker } => {
            format!("It has run: it succeeded on {} (attempt {attempts}).", piece(worker))
        }
        Reason::Failed { attempts, failure } => {
            format!("It has run and failed after {attempts} attempt(s): {}", piece(failure))
        }
        Reason::Expired => "It expired before a worker began it.".into(),
        Reason::Revoked => "It was revoked.".into(),
        Reason::DeadLettered { dead_reason, detail } => {
            format!("It is in the dead letters ({dead_reason}): {}", piece(detail))
        }
        Reason::Running { worker } => format!("It is running on {}.", piece(worker)),
        Reason::Held { worker } => {
            format!("{} holds it and will start it when a slot is free.", piece(worker))
        }
        Reason::WaitsForTime { wait_ms } => format!("It waits for its time, {} from now.", span(*wait_ms)),
        Reason::WaitsForRetry { attempt, wait_ms, failure } => {
            let failure = failure.as_ref().map(|text| format!(" Last failure: {}", piece(text)));
            let begins =
                format!("It failed {attempt} time(s); the next attempt begins in {}.", span(*wait_ms));
            begins + &failure.unwrap_or_default()
        }
        Reason::QueueHasNoWorker { queue } => {
            format!("No live worker takes from the queue {}.", piece(queue))
        }
        Reason::QueuePaused { queue } => {
            format!("The queue {} is paused: nothing is taken from it until it is resumed.", piece(queue))
        }
        Reason::NoWorkerKnowsIt { task, queue, workers, known } => format!(
            "None of the {workers} live worker(s) on the queue {} knows a task named {}. They know: {}.",
            piece(queue),
            piece(task),
            piece(&known.join(", "))
        ),
        Reason::SlotsBusy { queue, slots, ahead } => format!(
            "All {slots} slot(s) of the workers on the queue {} are busy; {}.",
            piece(queue),
            english_place(*ahead)
        ),
        Reason::ItsTurnComes { queue, ahead } => {
            format!("It is ready in the queue {}; {}.", piece(queue), english_place(*ahead))
        }
    }
}

fn chinese(reason: &Reason) -> String {
    match reason {
        Reason::Unknown => "没有这个 id 的任务：既没有消息，也没有记录和死信。".into(),
        Reason::Succeeded { attempts, worker } => {
            format!("它已经执行过：第 {attempts} 次尝试在 {} 上成功。", piece(worker))
        }
        Reason::Failed { attempts, failure } => {
            format!("它已经执行过，尝试 {attempts} 次后失败：{}", piece(failure))
        }
        Reason::Expired => "还没有 worker 开始执行，它就过期了。".into(),
        Reason::Revoked => "它已被撤销。".into(),
        Reason::DeadLettered { dead_reason, detail } => {
            format!("它在死信里（{dead_reason}）：{}", piece(detail))
        }
        Reason::Running { worker } => format!("它正在 {} 上执行。", piece(worker)),
        Reason::Held { worker } => format!("{} 已取走它，有空闲的执行槽就会开始。", piece(worker)),
        Reason::WaitsForTime { wait_ms } => format!("还没到时间，{} 之后开始。", span(*wait_ms)),
        Reason::WaitsForRetry { attempt, wait_ms, failure } => {
            let failure = failure.as_ref().map(|text| format!("上次失败：{}", piece(text)));
            format!("它失败了 {attempt} 次，{} 之后再次尝试。", span(*wait_ms)) + &failure.unwrap_or_default()
        }
        Reason::QueueHasNoWorker { queue } => format!("没有在线的 worker 处理队列 {}。", piece(queue)),
        Reason::QueuePaused { queue } => format!("队列 {} 已暂停，恢复之前不会从中取任务。", piece(queue)),
        Reason::NoWorkerKnowsIt { task, queue, workers, known } => format!(
            "队列 {} 上有 {workers} 个在线的 worker，但都不认识任务 {}。它们认识的有：{}。",
            piece(queue),
            piece(task),
            piece(&known.join("、"))
        ),
        Reason::SlotsBusy { queue, slots, ahead } => {
            format!("队列 {} 上的 {slots} 个执行槽都在忙；{}。", piece(queue), chinese_place(*ahead))
        }
        Reason::ItsTurnComes { queue, ahead } => {
            format!("它在队列 {} 里等待执行；{}。", piece(queue), chinese_place(*ahead))
        }
    }
}

fn english_place(ahead: Option<u64>) -> String {
    match ahead {
        Some(0) => "it is the next one".into(),
        Some(ahead) => format!("{ahead} are before it"),
        None => "many are before it".into(),
    }
}

fn chinese_place(ahead: Option<u64>) -> String {
    match ahead {
        Some(0) => "下一个就轮到它".into(),
        Some(ahead) => format!("前面还有 {ahead} 个"),
        None => "前面还有很多".into(),
    }
}

fn piece(text: &str) -> String {
    cut(text, PIECE)
}

fn span(millis: u64) -> String {
    ago(Duration::from_millis(millis))
}
