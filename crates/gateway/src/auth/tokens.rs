use cardoon_core::Timestamp;
use cardoon_errors::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Scope;

/// What all tokens begin with, so that scanners for secrets know them.
const PREFIX: &str = "cdn_";
const RANDOM_BYTES: usize = 32;
const NAME: usize = 60;

/// The tokens that a gateway knows: never themselves, only their hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    tokens: Vec<Token>,
}

/// What is kept of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// In milliseconds since 1970.
    pub created_at: Timestamp,
    /// SHA-256 in hexadecimal. The token has 256 random bits, so nobody guesses it from this, and no salt is needed.
    sha256: String,
}

impl Tokens {
    /// Makes a token and answers its text, which is nowhere else from now on.
    ///
    /// Errors: `CD4004` for a name that cannot be one or is taken.
    pub fn create(&mut self, name: &str, scopes: &[Scope], now: Timestamp) -> Result<String> {
        check_name(name)?;
        if self.tokens.iter().any(|token| token.name == name) {
            return Err(Error::new(Code::BadInput, format!("there is a token `{name}` already"))
                .hint("take another name, or revoke it first: cardoon gateway token revoke NAME"));
        }
        let text = random_text()?;
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        let token = Token { name: name.to_owned(), scopes, created_at: now, sha256: hash(&text) };
        self.tokens.push(token);
        Ok(text)
    }

    /// Forgets the token of this name; answers whether there was one.
    pub fn revoke(&mut self, name: &str) -> bool {
        let before = self.tokens.len();
        self.tokens.retain(|token| token.name != name);
        self.tokens.len() < before
    }

    /// The token with this text. Hashes are compared, not texts, so the time that it takes tells nothing about them.
    pub fn find(&self, text: &str) -> Option<&Token> {
        let hash = hash(text);
        self.tokens.iter().find(|token| token.sha256 == hash)
    }

    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter()
    }
}

fn check_name(name: &str) -> Result<()> {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.@".contains(c);
    if !name.is_empty() && name.len() <= NAME && name.chars().all(is_plain) {
        return Ok(());
    }
    let message = format!("a token's name has 1 to {NAME} letters, digits, or any of - _ . @");
    Err(Error::new(Code::BadInput, message).hint("cardoon gateway token create billing --scope send"))
}

fn random_text() -> Result<String> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::new(Code::Internal, "the system gives no random numbers").checked(error.to_string())
    })?;
    Ok(format!("{PREFIX}{}", hex(&bytes)))
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_text_and_what_is_kept_does_not_hold_it() {
        let mut tokens = Tokens::default();
        let text = tokens.create("billing", &[Scope::Read, Scope::Send], Timestamp(0)).unwrap();
        let other = tokens.create("other", &[Scope::Send], Timestamp(0)).unwrap();
        assert_ne!(text, other);
        assert_eq!(tokens.find(&text).unwrap().scopes, [Scope::Send, Scope::Read]);
        assert_eq!(tokens.find("cdn_"), None);
        assert!(!serde_json::to_string(&tokens).unwrap().contains(&text));
        assert!(tokens.revoke("billing") && !tokens.revoke("billing"));
        assert_eq!(tokens.find(&text), None);
    }

    #[test]
    fn a_name_is_plain_and_its_own() {
        let mut tokens = Tokens::default();
        tokens.create("a", &[], Timestamp(0)).unwrap();
        for wrong in ["a", "", "a b", "\u{1b}", &"x".repeat(61)] {
            assert!(tokens.create(wrong, &[], Timestamp(0)).is_err(), "{wrong:?}");
        }
    }
}
