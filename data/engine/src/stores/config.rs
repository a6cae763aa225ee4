use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::SpawnedReqwestConnector;
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use tokio::runtime::Handle;
use url::Url;

use super::options::{Secret, StoreOptions};

/// How long a connection may take. With the tries below it takes about ten seconds to find out that nobody is there.
const CONNECT: Duration = Duration::from_secs(3);
/// After that time a request is not tried again.
const TRIES_END: Duration = Duration::from_secs(6);
const TRIES: usize = 5;
/// How long a request may take in all, also that of a large range by a slow line.
const REQUEST: Duration = Duration::from_mins(2);

/// How the stores of all buckets are reached: options first, then the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Config {
    credentials: Credentials,
    region: Option<String>,
    endpoint: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Credentials {
    /// Requests are not signed.
    None,
    Keys {
        id: String,
        secret: Secret,
        token: Option<Secret>,
    },
    /// They are fetched as these settings say, which clouds set in containers.
    Fetched(Vec<(AmazonS3ConfigKey, String)>),
    /// They are fetched from the machine's metadata service.
    OfMachine,
}

impl Config {
    /// Errors with [`Code::BadStoreOptions`] if half of a pair of keys is missing, or something is not what it should be.
    pub(super) fn read(options: &StoreOptions, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let first = |names: [&str; 2]| names.into_iter().find_map(variable);
        let region = options.region.clone().or_else(|| first(["AWS_REGION", "AWS_DEFAULT_REGION"]));
        let endpoint =
            options.endpoint.clone().or_else(|| first(["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]));
        endpoint.as_deref().map_or(Ok(()), check_endpoint)?;
        region.as_deref().map_or(Ok(()), |region| check_word("the region", region))?;
        let credentials = credentials(options, variable)?;
        credentials.check()?;
        Ok(Self { credentials, region, endpoint })
    }

    /// A client for a bucket, whose requests run by `runtime`.
    pub(super) fn client(&self, bucket: &str, runtime: &Handle) -> object_store::Result<AmazonS3> {
        let is_plain = self.endpoint.as_deref().is_some_and(|url| url.starts_with("http://"));
        let client = ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(REQUEST);
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_http_connector(SpawnedReqwestConnector::new(runtime.clone()))
            .with_client_options(client)
            .with_allow_http(is_plain)
            .with_retry(retries());
        if let Some(region) = &self.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        self.credentials.give(builder).build()
    }

    /// For people: where it is.
    pub(super) fn endpoint(&self) -> String {
        let of_region = |region: &str| format!("https://s3.{region}.amazonaws.com");
        let region = self.region.as_deref().unwrap_or("us-east-1");
        self.endpoint.clone().unwrap_or_else(|| of_region(region))
    }

    /// For people: a part of the key's name, by which it is told from others.
    pub(super) fn key(&self) -> String {
        match &self.credentials {
            Credentials::None => "requests are not signed, since there are no keys".to_owned(),
            Credentials::Keys { id, .. } => format!("the access key is {}", shortened(id)),
            Credentials::Fetched(_) | Credentials::OfMachine => "keys are those of this machine".to_owned(),
        }
    }
}

impl Credentials {
    fn check(&self) -> Result<()> {
        let Self::Keys { id, secret, token } = self else { return Ok(()) };
        check_word("the access key", id)?;
        check_word("the secret key", &secret.0)?;
        token.as_ref().map_or(Ok(()), |token| check_word("the session token", &token.0))
    }

    fn give(&self, builder: AmazonS3Builder) -> AmazonS3Builder {
        match self {
            Self::None => builder.with_skip_signature(true),
            Self::Keys { id, secret, token } => {
                let builder = builder.with_access_key_id(id).with_secret_access_key(&secret.0);
                token.iter().fold(builder, |builder, token| builder.with_token(&token.0))
            }
            Self::Fetched(settings) => {
                settings.iter().fold(builder, |builder, (key, value)| builder.with_config(*key, value))
            }
            Self::OfMachine => builder,
        }
    }
}

fn credentials(options: &StoreOptions, variable: impl Fn(&str) -> Option<String>) -> Result<Credentials> {
    if options.unsigned {
        return Ok(Credentials::None);
    }
    let has_own = options.key.is_some() || options.secret.is_some();
    let (id, secret, token) = if has_own {
        (options.key.clone(), options.secret.clone(), options.token.clone())
    } else {
        let secret = |name| variable(name).map(Secret);
        (variable("AWS_ACCESS_KEY_ID"), secret("AWS_SECRET_ACCESS_KEY"), secret("AWS_SESSION_TOKEN"))
    };
    match (id, secret) {
        (Some(id), Some(secret)) => Ok(Credentials::Keys { id, secret, token }),
        (None, None) => Ok(fetched(variable)),
        (Some(_), None) => Err(half("secret or AWS_SECRET_ACCESS_KEY")),
        (None, Some(_)) => Err(half("key or AWS_ACCESS_KEY_ID")),
    }
}

/// What containers of a cloud are told of where keys are. The metadata service of the machine is only asked if the
/// environment says so: where there is none, the question takes long to fail.
fn fetched(variable: impl Fn(&str) -> Option<String>) -> Credentials {
    use AmazonS3ConfigKey as Key;
    let all = |settings: &[(Key, &str)]| -> Option<Vec<(Key, String)>> {
        settings.iter().map(|(key, name)| Some((*key, variable(name)?))).collect()
    };
    let found =
        all(&[(Key::WebIdentityTokenFile, "AWS_WEB_IDENTITY_TOKEN_FILE"), (Key::RoleArn, "AWS_ROLE_ARN")])
            .or_else(|| {
                all(&[(Key::ContainerCredentialsRelativeUri, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")])
            })
            .or_else(|| {
                all(&[
                    (Key::ContainerCredentialsFullUri, "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
                    (Key::ContainerAuthorizationTokenFile, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
                ])
            });
    let asks_machine = || variable("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value == "false");
    match found {
        Some(settings) => Credentials::Fetched(settings),
        None if asks_machine() => Credentials::OfMachine,
        None => Credentials::None,
    }
}

fn check_endpoint(endpoint: &str) -> Result<()> {
    let is_of_server = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let is_plain = |url: &Url| url.username().is_empty() && url.password().is_none();
    if Url::parse(endpoint).is_ok_and(|url| is_of_server(&url) && is_plain(&url)) {
        return Ok(());
    }
    // It is not repeated, since what stands before an @ may be a password.
    Err(Error::new(Code::BadStoreOptions, "the endpoint of an object store is no URL of a server")
        .hint("write http://HOST:PORT or https://HOST, without user and password"))
}

/// Whatever else goes into a header has been copied with something behind it.
fn check_word(what: &str, word: &str) -> Result<()> {
    if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error::new(
        Code::BadStoreOptions,
        format!("{what} of an object store has a letter that it cannot have"),
    )
    .hint("look for a space or a line end that was copied with it"))
}

fn half(missing: &str) -> Error {
    Error::new(Code::BadStoreOptions, "keys of an object store come in pairs")
        .checked(format!("there is no {missing}"))
}

fn shortened(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    if letters.len() < 12 {
        return "…".to_owned();
    }
    let (first, last) = (&letters[..4], &letters[letters.len() - 4..]);
    format!("{}…{}", first.iter().collect::<String>(), last.iter().collect::<String>())
}

fn retries() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(2),
        base: 2.0,
    };
    RetryConfig { backoff, max_retries: TRIES, retry_timeout: TRIES_END }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &str, variables: &[(&str, &str)]) -> Result<Config> {
        let options = StoreOptions::from_json(options).unwrap();
        let value = |name: &str| variables.iter().find(|(other, _)| *other == name);
        Config::read(&options, |name| value(name).map(|(_, value)| (*value).to_owned()))
    }

    const KEYS: [(&str, &str); 3] = [
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ("AWS_SESSION_TOKEN", "hunter3"),
    ];

    #[test]
    fn the_environment_is_read_as_aws_tools_read_it() {
        let more =
            [("AWS_ENDPOINT_URL", "http://a"), ("AWS_ENDPOINT_URL_S3", "http://b"), ("AWS_REGION", "x")];
        let config = read("{}", &[&KEYS[..], &more[..]].concat()).unwrap();
        assert_eq!((config.endpoint().as_str(), config.region.as_deref()), ("http://b", Some("x")));
        assert_eq!(config.key(), "the access key is AKIA…MPLE");
        assert!(!format!("{config:?}").contains("hunter"));
    }

    #[test]
    fn options_go_before_the_environment() {
        let config = read(r#"{"key": "other", "secret": "s"}"#, &KEYS).unwrap();
        let Credentials::Keys { id, token, .. } = config.credentials else { panic!("there are keys") };
        assert_eq!((id.as_str(), token), ("other", None));
        assert_eq!(read(r#"{"anon": true}"#, &KEYS).unwrap().credentials, Credentials::None);
    }

    #[test]
    fn without_keys_nobody_is_asked_for_them_unless_the_environment_says_so() {
        assert_eq!(read("{}", &[]).unwrap().credentials, Credentials::None);
        let told = [("AWS_EC2_METADATA_DISABLED", "false")];
        assert_eq!(read("{}", &told).unwrap().credentials, Credentials::OfMachine);
        let container = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x")];
        assert!(matches!(read("{}", &container).unwrap().credentials, Credentials::Fetched(_)));
    }

    #[test]
    fn an_endpoint_is_a_url_without_a_password() {
        for wrong in ["127.0.0.1:9000", "http://", "http://a b", "http://user:hunter2@host", "s3://host"] {
            let error = read("{}", &[("AWS_ENDPOINT_URL", wrong)]).unwrap_err();
            assert_eq!(error.code(), Code::BadStoreOptions, "{wrong}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn what_was_copied_with_a_key_is_found() {
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "AKIA\n"),
            ("AWS_SECRET_ACCESS_KEY", " hunter2"),
            ("AWS_SESSION_TOKEN", "hunter2é"),
            ("AWS_REGION", "eu west"),
        ] {
            let error = read("{}", &[&[(name, value)][..], &KEYS].concat()).unwrap_err();
            assert_eq!(error.code(), Code::BadStoreOptions, "{name}");
            assert!(!format!("{error:?}").contains("hunter2"));
        }
    }

    #[test]
    fn half_a_pair_of_keys_is_refused() {
        assert_eq!(read("{}", &KEYS[..1]).unwrap_err().code(), Code::BadStoreOptions);
        assert_eq!(read(r#"{"secret": "s"}"#, &KEYS).unwrap_err().code(), Code::BadStoreOptions);
    }
}
