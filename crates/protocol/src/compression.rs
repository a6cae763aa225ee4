//! Compressed bodies, unpacked with a limit on what comes out and on the memory that it takes.

use std::error::Error as StdError;
use std::io::{self, ErrorKind, Read};

use bytes::Bytes;
use bzip2::read::MultiBzDecoder;
use cardoon_core::DeadReason;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::FrameDecoderError;

use crate::Undecodable;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// What `xz -9` needs, and some more.
const XZ_MEMORY_KIB: u32 = 66 * 1024;
/// What the highest usual level of zstd needs. A frame that says how long it is needs that much.
const ZSTD_WINDOW_BYTES: u64 = 8 << 20;

/// Unpacks `body`, which the header `compression` calls `method`, to at most `max_bytes`.
///
/// What kombu calls gzip is a zlib stream; other producers mean it literally, so the first bytes decide.
pub(crate) fn unpack(method: &str, body: &[u8], max_bytes: usize) -> Result<Bytes, Undecodable> {
    match method {
        "application/x-gzip" | "application/gzip" | "application/zlib" | "gzip" | "zlib" => {
            if body.starts_with(&GZIP_MAGIC) {
                read_all(MultiGzDecoder::new(body), max_bytes)
            } else {
                read_all(ZlibDecoder::new(body), max_bytes)
            }
        }
        "application/x-bz2" | "bzip2" | "bzip" => read_all(MultiBzDecoder::new(body), max_bytes),
        "application/x-lzma" | "lzma" | "xz" => {
            read_all(XzReader::new_mem_limit(body, true, XZ_MEMORY_KIB), max_bytes)
        }
        "application/zstd" | "zstd" | "zstandard" => read_zstd(body, max_bytes),
        _ => Err(unknown(method)),
    }
}

fn read_zstd(body: &[u8], max_bytes: usize) -> Result<Bytes, Undecodable> {
    let window = ZSTD_WINDOW_BYTES.max(max_bytes as u64);
    match StreamingDecoder::new_with_max_window_size(body, window) {
        Ok(decoder) => read_all(decoder, max_bytes),
        Err(FrameDecoderError::WindowSizeTooBig { .. }) => Err(too_large(max_bytes)),
        Err(error) => Err(damaged(&error)),
    }
}

fn read_all(decoder: impl Read, max_bytes: usize) -> Result<Bytes, Undecodable> {
    let mut unpacked = Vec::new();
    decoder
        .take(max_bytes as u64 + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| broken(&error, max_bytes))?;
    if unpacked.len() > max_bytes { Err(too_large(max_bytes)) } else { Ok(unpacked.into()) }
}

fn broken(error: &io::Error, max_bytes: usize) -> Undecodable {
    if error.kind() == ErrorKind::OutOfMemory { too_large(max_bytes) } else { damaged(error) }
}

fn too_large(max_bytes: usize) -> Undecodable {
    Undecodable::new(DeadReason::TooLarge, format!("the body unpacks to more than {max_bytes} bytes"))
}

fn damaged(error: &dyn StdError) -> Undecodable {
    Undecodable::new(DeadReason::Malformed, format!("the compressed body is damaged: {error}"))
}

fn unknown(method: &str) -> Undecodable {
    let detail =
        format!("compression {method:?} cannot be unpacked, only gzip, zlib, bzip2, xz and zstd can");
    Undecodable::new(DeadReason::Refused, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::{GzEncoder, ZlibEncoder};
    use lzma_rust2::{XzOptions, XzWriter};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    use std::io::Write as _;

    fn read(mut encoder: impl Read) -> Vec<u8> {
        let mut bytes = Vec::new();
        encoder.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn xz(data: &[u8], preset: u32) -> Vec<u8> {
        let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(preset)).unwrap();
        writer.write_all(data).unwrap();
        writer.finish().unwrap()
    }

    /// `data` in every format, with a name for each.
    fn packed(data: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("application/x-gzip", read(ZlibEncoder::new(data, flate2::Compression::best()))),
            ("application/x-gzip", read(GzEncoder::new(data, flate2::Compression::best()))),
            ("application/x-bz2", read(bzip2::read::BzEncoder::new(data, bzip2::Compression::best()))),
            ("application/x-lzma", xz(data, 6)),
            ("application/zstd", compress_to_vec(data, CompressionLevel::Fastest)),
        ]
    }

    #[test]
    fn every_format_unpacks() {
        for (method, bytes) in packed(b"[[],{},{}]") {
            assert_eq!(unpack(method, &bytes, 10).unwrap(), &b"[[],{},{}]"[..], "{method}");
            assert_eq!(unpack(method, &bytes, 9).unwrap_err().reason, DeadReason::TooLarge, "{method}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        for (method, bomb) in packed(&vec![b' '; 8 << 20]) {
            assert!(bomb.len() < 100_000, "{method}");
            assert_eq!(unpack(method, &bomb, 1 << 20).unwrap_err().reason, DeadReason::TooLarge, "{method}");
        }
    }

    #[test]
    fn a_header_that_asks_for_much_memory_is_too_large() {
        let greedy_zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0, 0];
        assert_eq!(unpack("zstd", &greedy_zstd, 100).unwrap_err().reason, DeadReason::TooLarge);
        assert_eq!(unpack("xz", &xz(b"[]", 9), 100).unwrap(), &b"[]"[..]);
        let mut options = XzOptions::with_preset(6);
        options.lzma_options.dict_size = 256 << 20;
        let mut writer = XzWriter::new(Vec::new(), options).unwrap();
        writer.write_all(b"[]").unwrap();
        assert_eq!(unpack("xz", &writer.finish().unwrap(), 100).unwrap_err().reason, DeadReason::TooLarge);
    }

    #[test]
    fn damage_and_unknown_methods_are_told_apart() {
        let reason = |method| unpack(method, b"nonsense", 100).unwrap_err().reason;
        for method in ["zlib", "bzip2", "xz", "zstd"] {
            assert_eq!(reason(method), DeadReason::Malformed, "{method}");
        }
        assert_eq!(reason("application/x-brotli"), DeadReason::Refused);
        for (method, bytes) in packed(b"[[],{},{}]") {
            let cut = &bytes[..bytes.len() / 2];
            assert_eq!(unpack(method, cut, 100).unwrap_err().reason, DeadReason::Malformed, "{method}");
        }
    }
}
