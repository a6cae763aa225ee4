//! A collector: an HTTP server that takes what OTLP calls an export request, and knows as much of its protobuf as the tests
//! look at.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// No span may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Collector {
    address: std::net::SocketAddr,
    taken: Arc<Taken>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Taken {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    spans: Vec<Span>,
    closed: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) trace: Vec<u8>,
    pub(crate) id: Vec<u8>,
    pub(crate) parent: Vec<u8>,
    pub(crate) name: String,
    pub(crate) kind: u64,
    pub(crate) status: u64,
    pub(crate) status_text: String,
    pub(crate) attributes: Vec<(String, String)>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::<Taken>::default();
        let taking = Arc::clone(&taken);
        let serve = move || {
            for stream in listener.incoming() {
                if taking.state.lock().unwrap().closed {
                    return;
                }
                // One after the other: an exporter has one request under way, and others wait.
                taking.serve(stream.unwrap());
            }
        };
        let thread = std::thread::Builder::new().spawn(serve).unwrap();
        Self { address, taken, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits for the span of this name.
    pub(crate) fn span(&self, name: &str) -> Span {
        let state = self.taken.state.lock().unwrap();
        let is_missing = |state: &mut State| state.spans.iter().all(|span| span.name != name);
        let (state, waited) = self.taken.more.wait_timeout_while(state, PATIENCE, is_missing).unwrap();
        assert!(!waited.timed_out(), "no span {name}; there are {:?}", state.spans);
        state.spans.iter().find(|span| span.name == name).unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.taken.state.lock().unwrap().closed = true;
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Taken {
    /// Answers one request, and ends the connection.
    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(2..) if line != "\r\n" => head.push(line.trim_end().to_ascii_lowercase()),
                _ => break,
            }
        }
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
        let Some(length) = length.and_then(|length| length.parse().ok()) else { return };
        assert_eq!(head[0], "post /v1/traces http/1.1");
        assert!(head.contains(&"content-type: application/x-protobuf".to_owned()), "{head:?}");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        self.state.lock().unwrap().spans.extend(spans(&body));
        self.more.notify_all();
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(answer.as_bytes());
    }
}

impl Span {
    /// The attribute of this name; it must be a text.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        &found.unwrap_or_else(|| panic!("{name} is not in {:?}", self.attributes)).1
    }
}

/// Of `ExportTraceServiceRequest`: `resource_spans 1 { resource 1 { attributes 1 }, scope_spans 2 { spans 2 } }`.
fn spans(request: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource_spans in all(request, 1) {
        let resource = all(resource_spans, 1).flat_map(|resource| all(resource, 1)).map(attribute);
        let service = resource.into_iter().find(|(name, _)| name == "service.name").unwrap().1;
        for span in all(resource_spans, 2).flat_map(|scope_spans| all(scope_spans, 2)) {
            spans.push(Span { service: service.clone(), ..read_span(span) });
        }
    }
    spans
}

/// Of `Span`: `trace_id 1, span_id 2, parent_span_id 4, name 5, kind 6, attributes 9, status 15 { message 2, code 3 }`.
fn read_span(span: &[u8]) -> Span {
    let bytes = |number| all(span, number).next().unwrap_or_default().to_vec();
    let status = all(span, 15).next().unwrap_or_default();
    Span {
        service: String::new(),
        trace: bytes(1),
        id: bytes(2),
        parent: bytes(4),
        name: text(&bytes(5)),
        kind: number(span, 6),
        status: number(status, 3),
        status_text: text(all(status, 2).next().unwrap_or_default()),
        attributes: all(span, 9).map(attribute).collect(),
    }
}

/// Of `KeyValue`: `key 1, value 2 { string_value 1 }`.
fn attribute(pair: &[u8]) -> (String, String) {
    let value = all(pair, 2).next().unwrap_or_default();
    let string = all(value, 1).next().unwrap_or_default();
    (text(all(pair, 1).next().unwrap_or_default()), text(string))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The fields `wanted` of a message that hold bytes.
fn all(message: &[u8], wanted: u64) -> impl Iterator<Item = &[u8]> {
    fields(message).filter_map(move |(field, _, bytes)| bytes.filter(|_| field == wanted))
}

/// The field `wanted` of a message that holds a number; 0 if it is left out.
fn number(message: &[u8], wanted: u64) -> u64 {
    fields(message)
        .find_map(|(field, value, bytes)| (field == wanted && bytes.is_none()).then_some(value))
        .unwrap_or(0)
}

/// A message's fields: number, value, and the bytes of one that holds such.
fn fields(mut rest: &[u8]) -> impl Iterator<Item = (u64, u64, Option<&[u8]>)> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let key = varint(&mut rest);
        let fixed = |rest: &mut &[u8], size: usize| *rest = &rest[size..];
        match key & 7 {
            0 => return Some((key >> 3, varint(&mut rest), None)),
            1 => fixed(&mut rest, 8),
            2 => {
                let length = varint(&mut rest) as usize;
                let (bytes, after) = rest.split_at(length);
                rest = after;
                return Some((key >> 3, 0, Some(bytes)));
            }
            5 => fixed(&mut rest, 4),
            kind => panic!("wire type {kind}"),
        }
        Some((key >> 3, 0, None))
    })
}

fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let (byte, after) = rest.split_first().unwrap();
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}
