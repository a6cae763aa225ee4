use std::time::Duration;

/// How a proxy carries the bytes of a connection, in each direction. The default is at once, all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Line {
    pub flow: Flow,
    /// What each byte takes longer. A round trip takes twice this, to within some 100 µs.
    pub delay: Duration,
    /// The most that goes through in a second.
    pub bytes_per_second: Option<u64>,
}

/// Whether bytes go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flow {
    #[default]
    Open,
    /// Nothing goes through now, and everything does later: a cable that was pulled out and is put back.
    Held,
    /// Everything is swallowed, ends too, and neither side is told: a half-open connection. It stays so until it is
    /// cut, whatever the proxy is set to later.
    Lost,
}

impl Line {
    pub const HELD: Self = Self::flow(Flow::Held);
    pub const LOST: Self = Self::flow(Flow::Lost);

    /// A line that makes each round trip longer.
    pub fn round_trip(longer: Duration) -> Self {
        Self { delay: longer / 2, ..Self::default() }
    }

    /// A line that is narrow.
    pub fn narrow(bytes_per_second: u64) -> Self {
        Self { bytes_per_second: Some(bytes_per_second.max(1)), ..Self::default() }
    }

    const fn flow(flow: Flow) -> Self {
        Self { flow, delay: Duration::ZERO, bytes_per_second: None }
    }

    /// How long `bytes` occupy it.
    pub(super) fn occupied_by(&self, bytes: usize) -> Duration {
        let seconds = |limit| Duration::from_secs_f64(bytes as f64 / limit as f64);
        self.bytes_per_second.map_or(Duration::ZERO, seconds)
    }
}
