//! Every decoder on what Celery wrote, on what the fuzzers found, and on mutations of both: none panics, and what
//! comes out keeps the limits.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[path = "support/decoders.rs"]
mod decoders;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use serde_json::Value;

use decoders::DECODERS;

/// Of each input, for each decoder.
const MUTATIONS: usize = 400;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// The envelopes, headers, bodies and results in a file of vectors.
fn captured(vector: &Value) -> Vec<Vec<u8>> {
    match vector {
        Value::Array(values) => values.iter().flat_map(captured).collect(),
        Value::Object(members) => members.iter().flat_map(|(name, value)| captured_in(name, value)).collect(),
        _ => Vec::new(),
    }
}

fn captured_in(name: &str, value: &Value) -> Vec<Vec<u8>> {
    match (name, value) {
        ("raw", Value::String(text)) => vec![text.clone().into_bytes()],
        ("body_bytes_b64" | "stored_b64", Value::String(text)) => vec![STANDARD.decode(text).unwrap()],
        ("headers", value) => vec![serde_json::to_vec(value).unwrap()],
        _ => captured(value),
    }
}

fn inputs() -> Vec<Vec<u8>> {
    let vectors = files(&folder("tests/vectors"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    let vectors =
        vectors.flat_map(|path| captured(&serde_json::from_slice(&fs::read(path).unwrap()).unwrap()));
    let found = files(&folder("fuzz/corpus")).into_iter().map(|path| fs::read(path).unwrap());
    let mut inputs: Vec<_> = vectors.chain(found).collect();
    inputs.sort();
    inputs.dedup();
    inputs
}

/// Some bytes changed, removed, repeated or put in.
fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    const TOKENS: &[&[u8]] = &[
        b"[", b"]", b"{", b"}", b"\"", b":", b",", b"null", b"\0", b"\xff", b"-", b"9", b"&a ", b"*a ",
        b"!!", b"\n",
    ];
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(0..=bytes.len());
        let end = rng.usize(at..=bytes.len().min(at + 40));
        match rng.u8(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(0..8),
            1 if at < bytes.len() => bytes[at] = rng.u8(..),
            2 => bytes.truncate(at),
            3 => _ = bytes.drain(at..end),
            4 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => _ = bytes.splice(at..at, rng.choice(TOKENS).copied().unwrap().iter().copied()),
        }
    }
}

/// How much longer than usual the mutations go on: `CARDOON_CORPUS_ROUNDS`, 1 by default. Each round has a seed of its own.
fn rounds() -> u64 {
    std::env::var("CARDOON_CORPUS_ROUNDS").ok().map_or(1, |rounds| rounds.parse().unwrap())
}

#[test]
fn no_decoder_panics_or_breaks_its_limits() {
    for seed in 1..=rounds() {
        feed_all(seed);
    }
}

fn feed_all(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let inputs = inputs();
    assert!(inputs.len() > 80, "{} inputs", inputs.len());
    for input in &inputs {
        for (_, decode) in DECODERS {
            decode(input);
            for _ in 0..MUTATIONS {
                let mut bytes = input.clone();
                mutate(&mut bytes, &mut rng);
                decode(&bytes);
            }
        }
    }
}

#[test]
fn inputs_that_are_made_to_be_slow_are_answered() {
    const UNITS: &[&str] = &[
        "[",
        "{",
        "\"",
        "\\",
        "- ",
        "? ",
        "{a: ",
        "&a ",
        "*a ",
        "!!str ",
        "a: b\n",
        "- [\n",
        "'",
        "|\n ",
        "#\n",
        "a\n",
        "--- ",
        "\u{81}",
        "{\"__type__\":",
        "[[\"__type__\"],",
        "\u{0}",
        "%TAG ! x\n",
        "a: &a b\n",
        ", ",
        "[*a,",
        "\n",
        " ",
    ];
    for unit in UNITS {
        let input = unit.repeat(60_000 / unit.len());
        for (_, decode) in DECODERS {
            decode(input.as_bytes());
        }
    }
}
