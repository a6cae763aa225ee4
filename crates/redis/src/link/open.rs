//! From an address to the client library's idea of it.

use cardoon_errors::{Code, Error, Result};
use redis::{
    Client, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo, RedisResult,
    TlsCertificates,
};

use rustls::crypto::{CryptoProvider, ring};

use crate::address::{Place, RedisAddress, Tls};
use crate::failure;

/// A client for the server that the address names, which is at `primary` if sentinels had to be asked for it.
pub(crate) fn client(address: &RedisAddress, primary: Option<&(String, u16)>) -> Result<Client> {
    opened(address, login(address), primary)
}

/// A client for the same server that neither logs in nor chooses a database, and speaks what every version understands.
pub(crate) fn stranger(address: &RedisAddress, primary: Option<&(String, u16)>) -> Result<Client> {
    let login = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP2).set_skip_set_lib_name();
    opened(address, login, primary)
}

fn opened(
    address: &RedisAddress,
    login: RedisConnectionInfo,
    primary: Option<&(String, u16)>,
) -> Result<Client> {
    let opened = match (&address.place, primary) {
        (Place::Socket(path), _) => open(login, ConnectionAddr::Unix(path.clone())),
        (Place::Host { host, port, tls: None }, _) | (Place::Sentinel { .. }, Some((host, port))) => {
            open(login, ConnectionAddr::Tcp(host.clone(), *port))
        }
        (Place::Host { host, port, tls: Some(tls) }, _) => {
            open_with_tls(login, host, *port, &certificates(tls)?)
        }
        (Place::Sentinel { .. }, None) => return Err(no_primary(address)),
    };
    opened.map_err(|error| failure::of_client(error, &address.location()))
}

/// A client for one sentinel. Sentinels are asked without a login.
pub(crate) fn sentinel(host: &str, port: u16) -> RedisResult<Client> {
    Client::open(ConnectionAddr::Tcp(host.into(), port))
}

/// No sentinel knows the primary.
pub(crate) fn no_primary(address: &RedisAddress) -> Error {
    Error::new(Code::Unreachable, format!("no sentinel of {} knows its primary", address.location()))
        .hint("ask a sentinel: redis-cli -p 26379 sentinel masters")
}

fn open(login: RedisConnectionInfo, place: ConnectionAddr) -> RedisResult<Client> {
    Client::open(place.into_connection_info()?.set_redis_settings(login))
}

fn open_with_tls(
    login: RedisConnectionInfo,
    host: &str,
    port: u16,
    certificates: &TlsCertificates,
) -> RedisResult<Client> {
    provide_cryptography();
    let place = ConnectionAddr::TcpTls { host: host.into(), port, insecure: false, tls_params: None };
    Client::build_with_tls(place.into_connection_info()?.set_redis_settings(login), certificates.clone())
}

/// The client takes what the process has chosen, and panics if it has chosen nothing.
fn provide_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // Somebody else may be faster, and then that one is it.
        let _ = ring::default_provider().install_default();
    }
}

fn login(address: &RedisAddress) -> RedisConnectionInfo {
    let mut login =
        RedisConnectionInfo::default().set_db(address.database).set_protocol(ProtocolVersion::RESP3);
    // Each answer that is waited for before a connection is of use may be one that does not come.
    login = login.set_skip_set_lib_name();
    if let Some(user) = &address.user {
        login = login.set_username(user);
    }
    if let Some(password) = &address.password {
        login = login.set_password(password);
    }
    login
}

fn certificates(tls: &Tls) -> Result<TlsCertificates> {
    let Some(path) = &tls.authorities else {
        return Ok(TlsCertificates { client_tls: None, root_cert: None });
    };
    let read = std::fs::read(path).map_err(|error| {
        Error::new(Code::BadUrl, format!("cannot read the certificates in {}", path.display())).source(error)
    })?;
    Ok(TlsCertificates { client_tls: None, root_cert: Some(read) })
}
