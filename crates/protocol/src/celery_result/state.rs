//! What a running task says of itself: a state that the program makes up, and something beside it.

use bytes::Bytes;
use cardoon_core::{Progress, TaskId, TaskState};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::json_text::{Text, put_string};

/// The state of a task that says how far it is and names none.
const PROGRESS: &str = "PROGRESS";

/// A state that a program made up, as the message of a [`Progress`] carries it.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    meta: Option<&'a RawValue>,
}

/// The document of a running task. Celery's clients show its state, and `meta` as its result.
///
/// A message that is a JSON object of `state` and `meta` names both. For others the state is `PROGRESS`, and the result
/// has `current`, `total` and `message`.
pub fn write_state(id: &TaskId, progress: &Progress) -> Bytes {
    let said: Option<Said<'_>> = serde_json::from_str(&progress.message).ok();
    let (state, meta) = match &said {
        // A task does not end by saying so.
        Some(said) if !is_end(&said.state.0) => {
            (&*said.state.0, said.meta.map_or("null", RawValue::get).to_owned())
        }
        _ => (PROGRESS, counted(progress).to_string()),
    };
    let mut json = b"{\"status\":".to_vec();
    put_string(&mut json, state);
    json.extend_from_slice(b",\"result\":");
    json.extend_from_slice(meta.as_bytes());
    json.extend_from_slice(b",\"traceback\":null,\"children\":[],\"date_done\":null,\"task_id\":");
    put_string(&mut json, id.as_str());
    json.push(b'}');
    json.into()
}

/// What the task says in a document that is no end of a run. `None` for other documents.
pub fn read_state(json: &[u8]) -> Option<Progress> {
    #[derive(Deserialize)]
    struct Document<'a> {
        #[serde(borrow)]
        status: Text<'a>,
        #[serde(borrow)]
        result: Option<&'a RawValue>,
    }
    let json = super::read::unpacked(json).ok()?;
    let Document { status: Text(state), result } = serde_json::from_slice(&json).ok()?;
    if is_end(&state) {
        return None;
    }
    let mut message = b"{\"state\":".to_vec();
    put_string(&mut message, &state);
    message.extend_from_slice(b",\"meta\":");
    message.extend_from_slice(result.map_or("null", RawValue::get).as_bytes());
    message.push(b'}');
    Some(Progress { done: 0, total: None, message: String::from_utf8(message).ok()? })
}

fn counted(progress: &Progress) -> Value {
    json!({ "current": progress.done, "total": progress.total, "message": progress.message })
}

/// Whether a run has ended in this state.
fn is_end(state: &str) -> bool {
    TaskState::parse(state).is_some_and(|state| state.is_final() || state == TaskState::Retry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(message: &str) -> Progress {
        Progress { done: 3, total: Some(10), message: message.into() }
    }

    fn written(message: &str) -> Value {
        serde_json::from_slice(&write_state(&TaskId::new("a").unwrap(), &said(message))).unwrap()
    }

    #[test]
    fn a_state_that_was_made_up_comes_back() {
        let message = r#"{"state":"BÄCKT","meta":{"of":[1,2]}}"#;
        let document = write_state(&TaskId::new("a").unwrap(), &said(message));
        assert_eq!(read_state(&document).unwrap().message, message);
        assert!(super::super::read(&document).unwrap().is_none());
    }

    #[test]
    fn progress_without_a_state_is_shown_by_celery() {
        let document = written("half");
        assert_eq!(document["status"], "PROGRESS");
        assert_eq!(document["result"], json!({ "current": 3, "total": 10, "message": "half" }));
    }

    #[test]
    fn a_task_does_not_end_by_saying_so() {
        assert_eq!(written(r#"{"state":"SUCCESS","meta":1}"#)["status"], "PROGRESS");
        assert!(read_state(br#"{"status":"SUCCESS","result":1,"task_id":"a"}"#).is_none());
    }
}
