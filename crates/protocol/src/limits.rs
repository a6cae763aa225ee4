use cardoon_core::DEFAULT_MAX_MESSAGE_BYTES;

/// What a message may demand of its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message, as sent and after decompression. Default: 16 MiB.
    pub max_bytes: usize,
    /// Arrays and objects inside each other, the message's own array included. Default: 128.
    pub max_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: DEFAULT_MAX_MESSAGE_BYTES, max_depth: 128 }
    }
}
