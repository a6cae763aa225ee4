use std::net::{Ipv4Addr, SocketAddr};

use cardoon_doctor::Patient;

use crate::auth::TokenPlace;

/// How a gateway is run.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// Where it listens; port 0 is a free one.
    pub listen: SocketAddr,
    /// Where its tokens are; `None` for a gateway that asks for none, which listens on loopback only.
    pub tokens: Option<TokenPlace>,
    /// The largest body of a request, in bytes.
    pub body_limit: usize,
    /// What the doctor examines for whoever asks; `None` if nobody may ask.
    pub patient: Option<Patient>,
    /// Connections at a time; further ones are turned away.
    pub connections: usize,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8765)),
            tokens: None,
            body_limit: 1024 * 1024,
            patient: None,
            connections: 4096,
        }
    }
}
