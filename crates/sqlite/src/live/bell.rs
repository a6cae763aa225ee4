/// A set of the kinds of things that processes wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bell(u8);

impl Bell {
    pub(crate) const NONE: Self = Self(0);
    /// A message can be claimed, now or later.
    pub(crate) const QUEUE: Self = Self(1);
    /// A run has ended.
    pub(crate) const RESULT: Self = Self(2);
    /// A held task was revoked, or a worker was given an order.
    pub(crate) const REVOKE: Self = Self(4);
    /// There are events.
    pub(crate) const EVENT: Self = Self(8);
    pub(crate) const ALL: Self = Self(15);

    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    #[must_use]
    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) fn is_none(self) -> bool {
        self.0 == 0
    }
}
