use std::time::Duration;

use cardoon_errors::{Applied, Result};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Value};
use tokio::time::timeout;

use crate::address::RedisAddress;
use crate::failure;
use crate::link::open;
use crate::server::Info;

/// How long opening may take, the handshake of TLS included, and an answer.
const DIAL: Duration = Duration::from_millis(2500);
const ANSWER: Duration = Duration::from_millis(1500);

/// A connection of its own, on which nothing is tried twice.
pub(super) struct Line {
    connection: MultiplexedConnection,
    pub(super) location: String,
}

impl Line {
    /// Opens one without a login. `primary`: where the server is, if sentinels had to be asked.
    pub(super) async fn open(address: &RedisAddress, primary: Option<&(String, u16)>) -> Result<Self> {
        let location = address.location();
        let client = open::stranger(address, primary)?;
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(DIAL)).set_response_timeout(None);
        let opening = client.get_multiplexed_async_connection_with_config(&config);
        match timeout(DIAL, opening).await {
            Ok(Ok(connection)) => Ok(Self { connection, location }),
            Ok(Err(error)) => Err(failure::of_client(error, &location).applied(Applied::No)),
            Err(_) => Err(failure::no_answer(&location).applied(Applied::No)),
        }
    }

    pub(super) async fn ask(&mut self, words: &[&str]) -> Result<Value> {
        let mut command = redis::Cmd::new();
        command.arg(words);
        // No answer changes anything, so none leaves open whether it did.
        match timeout(ANSWER, self.connection.send_packed_command(&command)).await {
            Ok(Ok(Value::ServerError(error))) => Err(failure::of_server(&error, &self.location)),
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(failure::of_client(error, &self.location).applied(Applied::No)),
            Err(_) => Err(failure::no_answer(&self.location).applied(Applied::No)),
        }
    }

    pub(super) async fn info(&mut self) -> Result<Info> {
        // Old servers do not take the names of several sections at once.
        Info::read(self.ask(&["INFO"]).await?)
    }
}
