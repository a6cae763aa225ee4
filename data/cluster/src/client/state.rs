//! Asks a scheduler for its state, and with it whether the two understand each other.

use cardoon_errors::{Code, Error, Result};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::http::request::Builder;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{no_cluster, root};
use crate::access::Access;
use crate::address::Address;
use crate::limits;
use crate::state::{HOST_HEADER, PATH, QUERY_HEADER, REACH, RUNNING, State, TaskState, VERSION};

/// Bytes of an answer, at most.
const LONGEST: usize = 16 << 20;

/// Errors as [`super::Client::connect`] does.
pub(crate) async fn state(address: &Address, access: &Access) -> Result<State> {
    state_by(address, access, Request::get(PATH)).await
}

/// The same for whoever waits for a query, which the scheduler hears with it.
pub(super) async fn waiting(address: &Address, access: &Access, query: &str) -> Result<State> {
    state_by(address, access, Request::get(PATH).header(QUERY_HEADER, query)).await
}

async fn state_by(address: &Address, access: &Access, request: Builder) -> Result<State> {
    let (_, body) = asked(address, access, request, Bytes::new()).await?;
    understood(&body).ok_or_else(|| no_cluster(address, "something else answers there"))?
}

/// Whether the scheduler reaches the port of whoever asks, at `host` or where the call comes from.
pub(crate) async fn is_reached(
    address: &Address,
    access: &Access,
    host: Option<&str>,
    port: u16,
) -> Result<bool> {
    let mut request = Request::get(REACH.replace("{port}", &port.to_string()));
    if let Some(host) = host {
        request = request.header(HOST_HEADER, host);
    }
    let (status, _) = asked(address, access, request, Bytes::new()).await?;
    Ok(status == StatusCode::OK)
}

/// Tells the scheduler how far the tasks of an executor are.
pub(crate) async fn tell(
    address: &Address,
    access: &Access,
    executor: &str,
    tasks: &[TaskState],
) -> Result<()> {
    let told = serde_json::to_vec(tasks).map_err(|error| no_cluster(address, &error.to_string()))?;
    let request =
        Request::post(RUNNING.replace("{executor}", executor)).header(CONTENT_TYPE, "application/json");
    asked(address, access, request, told.into()).await.map(|_| ())
}

async fn asked(
    address: &Address,
    access: &Access,
    request: Builder,
    said: Bytes,
) -> Result<(StatusCode, Bytes)> {
    let asked = timeout(3 * limits::CONNECT, ask(address, access, request, said)).await;
    let (status, body) = match asked {
        Ok(answer) => answer.map_err(|found| no_cluster(address, &found))?,
        Err(_) => return Err(no_cluster(address, "it does not answer")),
    };
    if status == StatusCode::UNAUTHORIZED {
        return Err(Error::new(Code::ClusterDenied, "the cluster refuses the token")
            .hint("give its token with --token or CARDOON_DATA_TOKEN"));
    }
    Ok((status, body))
}

/// Nothing if it is no scheduler's answer.
fn understood(body: &[u8]) -> Option<Result<State>> {
    let any: serde_json::Value = serde_json::from_slice(body).ok()?;
    let version = any.get("version")?.as_str()?;
    if version != VERSION {
        return Some(Err(Error::new(Code::OtherCluster, "the cluster runs another version")
            .checked(format!("here {VERSION}, there {}", cardoon_errors::text::cut(version, 40)))
            .hint("install the same version on all machines")));
    }
    serde_json::from_value(any).ok().map(Ok)
}

async fn ask(
    address: &Address,
    access: &Access,
    request: Builder,
    body: Bytes,
) -> Result<(StatusCode, Bytes), String> {
    let said = |error: &dyn std::error::Error| root(error);
    let stream = timeout(limits::CONNECT, TcpStream::connect(address.to_string()))
        .await
        .map_err(|_| "it does not answer".to_owned())?
        .map_err(|error| said(&error))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| said(&error))?;
    let request = request
        .header(HOST, address.to_string())
        .header(USER_AGENT, access.says())
        .body(Full::new(body))
        .map_err(|error| said(&error))?;
    let asking = async {
        let response = sender.send_request(request).await.map_err(|error| said(&error))?;
        read(response).await
    };
    tokio::pin!(asking);
    tokio::select! {
        answer = &mut asking => answer,
        // The connection ended; what has arrived before is still read.
        _ = connection => asking.await,
    }
}

async fn read(response: Response<hyper::body::Incoming>) -> Result<(StatusCode, Bytes), String> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, LONGEST).collect().await.map_err(|error| error.to_string())?;
    Ok((parts.status, body.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_told_from_something_else() {
        let error = understood(br#"{"version":"9.9.9","new":1}"#).unwrap().unwrap_err();
        assert_eq!(error.code(), Code::OtherCluster);
        assert!(error.findings()[0].ends_with("there 9.9.9"));
        assert!(understood(b"<html>").is_none());
        assert!(understood(br#"{"ok":true}"#).is_none());
        let state =
            format!(r#"{{"version":"{VERSION}","executors":[],"losses":0,"last_loss":null,"jobs":[]}}"#);
        assert_eq!(understood(state.as_bytes()).unwrap().unwrap().threads(), 0);
    }
}
