//! Who may talk to a cluster: whoever knows its token.

use std::fmt;
use std::net::SocketAddr;

use ballista_core::extension::EndpointOverrideFn;
use cardoon_errors::{Code, Error, Result};
use tonic::transport::Endpoint;

use crate::limits;

/// What scheduler, executors and clients of a cluster share. It travels in a header that every call has, so that nobody
/// must see it on its way: a network in which others listen needs a tunnel.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// What the header begins with.
const SCHEME: &str = "cardoon-data/";

impl Token {
    /// Errors with [`Code::BadInput`] unless it has 16 to 256 letters, digits, `-` and `_`.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if (16..=256).contains(&text.len()) && text.bytes().all(is_plain) {
            return Ok(Self(text));
        }
        Err(Error::new(Code::BadInput, "a token has 16 to 256 letters, digits, - and _")
            .hint("make one: openssl rand -hex 16"))
    }
}

impl Token {
    /// Its text, for a process that is started with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Whether executors may carry out functions that others send. Errors with [`Code::BadInput`] without a token: functions
/// are code, and on loopback are all users of the machine.
pub fn may_run_functions(token: Option<&Token>) -> Result<()> {
    match token {
        Some(_) => Ok(()),
        None => Err(Error::new(
            Code::BadInput,
            "functions of Python are code that others send, and there is no token",
        )
        .hint("give one with --token or CARDOON_DATA_TOKEN")),
    }
}

/// A token of a cluster, or none: then it is open to those who reach it, which loopback sees to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access(Option<Token>);

impl Access {
    pub(crate) fn new(token: Option<Token>) -> Self {
        Self(token)
    }

    /// Whether others may be let listen at `address`.
    pub(crate) fn may_listen(&self, address: SocketAddr) -> Result<()> {
        if self.0.is_some() || address.ip().is_loopback() {
            return Ok(());
        }
        Err(Error::new(
            Code::BadInput,
            format!("{address} can be reached from outside, and there is no token"),
        )
        .hint("give one with --token or CARDOON_DATA_TOKEN"))
    }

    /// What a call says of who it is from. It is the user agent, since that is what all clients of Ballista let be set.
    pub(crate) fn says(&self) -> String {
        let token = self.0.as_ref().map_or("-", |token| token.0.as_str());
        format!("{SCHEME}{token}")
    }

    /// Whether a call that says `agent` may go on.
    pub(crate) fn lets(&self, agent: Option<&str>) -> bool {
        let Some(Token(token)) = &self.0 else { return true };
        let said = agent.and_then(|agent| agent.strip_prefix(SCHEME)).and_then(|rest| rest.split(' ').next());
        said.is_some_and(|said| is_same(said.as_bytes(), token.as_bytes()))
    }

    /// Lets every client that Ballista opens say who it is.
    pub(crate) fn endpoint(&self) -> EndpointOverrideFn {
        let says = self.says();
        std::sync::Arc::new(move |endpoint: Endpoint| Ok(limits::patient(endpoint).user_agent(says.clone())?))
    }
}

/// Takes the same time wherever the first difference is.
fn is_same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |all, (left, right)| all | (left ^ right)) == 0
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_token_may_go_on() {
        let token = Token::new("0123456789abcdef").unwrap();
        let access = Access::new(Some(token));
        assert!(access.lets(Some(&format!("{} tonic/0.14", access.says()))));
        for agent in [
            None,
            Some(""),
            Some("cardoon-data/-"),
            Some("cardoon-data/0123456789abcdeF"),
            Some("tonic/0.14"),
        ] {
            assert!(!access.lets(agent), "{agent:?}");
        }
        assert!(Access::default().lets(None));
    }

    #[test]
    fn without_a_token_only_loopback_is_listened_on() {
        let open = Access::default();
        assert!(open.may_listen(SocketAddr::from(([127, 0, 0, 1], 1))).is_ok());
        let error = open.may_listen(SocketAddr::from(([0, 0, 0, 0], 1))).unwrap_err();
        assert_eq!(error.code(), Code::BadInput);
    }

    #[test]
    fn a_token_does_not_show() {
        let token = Token::new("0123456789abcdef").unwrap();
        assert!(!format!("{token:?}").contains("0123"));
        assert_eq!(Token::new("short").unwrap_err().code(), Code::BadInput);
        assert_eq!(Token::new("with blanks and lines\n").unwrap_err().code(), Code::BadInput);
    }
}
