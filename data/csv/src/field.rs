/// A field within its block. Its parser may look at what follows, which is how it reads eight bytes at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) block: &'a [u8],
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl<'a> Field<'a> {
    pub(crate) fn of(text: &'a [u8]) -> Self {
        Self { block: text, start: 0, end: text.len() }
    }

    #[inline]
    pub(crate) fn text(self) -> &'a [u8] {
        &self.block[self.start..self.end]
    }

    #[inline]
    pub(crate) fn len(self) -> usize {
        self.end - self.start
    }

    /// The bytes from `from` to `to` of the field, which must lie within it.
    #[inline]
    pub(crate) fn part(self, from: usize, to: usize) -> Self {
        debug_assert!(from <= to && to <= self.len());
        Self { block: self.block, start: self.start + from, end: self.start + to }
    }

    /// Without blanks on either side.
    pub(crate) fn trimmed(self) -> Self {
        let text = self.text();
        let from = text.len() - text.trim_ascii_start().len();
        self.part(from, from + text.trim_ascii().len())
    }

    /// Eight bytes from its begin; what lies behind the field is arbitrary.
    #[inline]
    pub(crate) fn eight(self) -> u64 {
        let rest = self.block.get(self.start..).unwrap_or_default();
        if let Some(bytes) = rest.first_chunk() {
            return u64::from_le_bytes(*bytes);
        }
        let mut bytes = [0; 8];
        bytes[..rest.len()].copy_from_slice(rest);
        u64::from_le_bytes(bytes)
    }
}
