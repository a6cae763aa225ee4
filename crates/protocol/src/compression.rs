//! Compressed bodies, unpacked with a limit on what comes out.

use std::io::Read;

use bytes::Bytes;
use cardoon_core::DeadReason;
use flate2::read::{GzDecoder, ZlibDecoder};

use crate::Undecodable;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Unpacks `body`, which the header `compression` calls `method`, to at most `max_bytes`.
///
/// What kombu calls gzip is a zlib stream; other producers mean it literally, so the first bytes decide.
pub(crate) fn unpack(method: &str, body: &Bytes, max_bytes: usize) -> Result<Bytes, Undecodable> {
    if !matches!(method, "application/x-gzip" | "application/gzip" | "application/zlib" | "gzip" | "zlib") {
        return Err(Undecodable::new(
            DeadReason::Refused,
            format!("compression {method:?} cannot be unpacked, only gzip and zlib can"),
        ));
    }
    if body.starts_with(&GZIP_MAGIC) {
        read_all(GzDecoder::new(&body[..]), max_bytes)
    } else {
        read_all(ZlibDecoder::new(&body[..]), max_bytes)
    }
}

fn read_all(decoder: impl Read, max_bytes: usize) -> Result<Bytes, Undecodable> {
    let mut unpacked = Vec::new();
    decoder.take(max_bytes as u64 + 1).read_to_end(&mut unpacked).map_err(|error| {
        Undecodable::new(DeadReason::Malformed, format!("the compressed body is damaged: {error}"))
    })?;
    if unpacked.len() > max_bytes {
        let detail = format!("the body unpacks to more than {max_bytes} bytes");
        return Err(Undecodable::new(DeadReason::TooLarge, detail));
    }
    Ok(unpacked.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{GzEncoder, ZlibEncoder};

    fn packed(mut encoder: impl Read) -> Bytes {
        let mut bytes = Vec::new();
        encoder.read_to_end(&mut bytes).unwrap();
        bytes.into()
    }

    #[test]
    fn both_framings_unpack_under_the_same_name() {
        let zlib = packed(ZlibEncoder::new(&b"[[],{},{}]"[..], Compression::fast()));
        let gzip = packed(GzEncoder::new(&b"[[],{},{}]"[..], Compression::fast()));
        for body in [zlib, gzip] {
            assert_eq!(unpack("application/x-gzip", &body, 10).unwrap(), &b"[[],{},{}]"[..]);
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = packed(ZlibEncoder::new(std::io::repeat(b' ').take(64 << 20), Compression::best()));
        assert!(bomb.len() < 100_000);
        assert_eq!(unpack("zlib", &bomb, 1 << 20).unwrap_err().reason, DeadReason::TooLarge);
    }

    #[test]
    fn damage_and_unknown_methods_are_told_apart() {
        let reason = |method| unpack(method, &Bytes::from_static(b"nonsense"), 100).unwrap_err().reason;
        assert_eq!(reason("zlib"), DeadReason::Malformed);
        assert_eq!(reason("application/zstd"), DeadReason::Refused);
    }
}
