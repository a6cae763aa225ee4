//! Where else a Redis server may be.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::hello::{self, Heard};
use super::surroundings::Surroundings;

/// How long all neighbours together may take.
const LIMIT: Duration = Duration::from_millis(1500);

/// The port of a Redis server at the same address as `wrong`, if one answers.
pub(super) async fn other_port(wrong: SocketAddr, surroundings: &Surroundings) -> Option<u16> {
    let ports = surroundings.redis_ports.iter().copied().filter(|port| *port != wrong.port());
    let look = async {
        for port in ports {
            if is_redis(wrong.ip(), port).await {
                return Some(port);
            }
        }
        None
    };
    timeout(LIMIT, look).await.ok().flatten()
}

async fn is_redis(ip: IpAddr, port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((ip, port)).await else { return false };
    matches!(hello::plain(&mut stream).await, Heard::Redis | Heard::Protected(_))
}
