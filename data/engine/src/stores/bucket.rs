use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use cardoon_errors::{Code, Error, Result};
use object_store::aws::AmazonS3;
use object_store::list::{PaginatedListOptions, PaginatedListStore as _};
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, ObjectMeta, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
    UpdateVersion,
};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::config::Config;
use super::failure::{self, Asked};
use super::url::ObjectUrl;

/// A bucket of a store, and who asks it.
#[derive(Clone)]
pub(crate) struct Bucket {
    name: String,
    pub(super) client: Arc<AmazonS3>,
    pub(super) asked: Asked,
    pub(super) runtime: Handle,
    /// Mebibytes that may be read ahead, by all.
    pub(super) ahead: Arc<Semaphore>,
}

/// An object as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) url: ObjectUrl,
    pub(crate) bytes: u64,
    /// Says which state of the object it is.
    pub(crate) etag: Option<String>,
    /// The name of the options by which it is reached.
    pub(crate) options: Option<String>,
}

/// What an object has to be, that it is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Any,
    Absent,
    /// The state with this etag.
    Unchanged(String),
}

impl Bucket {
    pub(super) fn new(
        name: &str,
        client: AmazonS3,
        config: &Config,
        runtime: Handle,
        ahead: Arc<Semaphore>,
    ) -> Self {
        let asked = Asked { endpoint: config.endpoint(), key: config.key() };
        Self { name: name.to_owned(), client: Arc::new(client), asked, runtime, ahead }
    }

    pub(crate) fn url(&self, key: impl Into<String>) -> ObjectUrl {
        ObjectUrl::new(self.name.clone(), key)
    }

    /// An object; nothing if there is none under this key.
    pub(crate) async fn look(&self, key: &str) -> Result<Option<Object>> {
        match self.client.head(&self.path(key)?).await {
            Ok(meta) => Ok(Some(self.object(&meta))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            // The answer to this question has no text. That to a list has, if it fails too.
            Err(error) => {
                self.list(key, false, 1).await?;
                Err(self.coded(&error, key, Code::FileUnreadable))
            }
        }
    }

    /// At most `most` objects whose keys begin with `prefix`, in the order of their keys: those below it, or with `deep`
    /// also those behind further slashes.
    pub(crate) async fn list(&self, prefix: &str, deep: bool, most: usize) -> Result<Vec<Object>> {
        let mut found = Vec::new();
        let mut page_token = None;
        loop {
            let options = PaginatedListOptions {
                delimiter: (!deep).then_some(Cow::Borrowed("/")),
                max_keys: Some(most.min(1000)),
                page_token,
                ..PaginatedListOptions::default()
            };
            let page = self.client.list_paginated((!prefix.is_empty()).then_some(prefix), options).await;
            let page = page.map_err(|error| self.coded(&error, prefix, Code::FileUnreadable))?;
            let objects = page.result.objects.iter().map(|meta| self.object(meta));
            // What marks a folder has lost its slash, and with it the prefix.
            found.extend(objects.filter(|object| object.url.key.starts_with(prefix)));
            page_token = page.page_token;
            if page_token.is_none() || found.len() >= most {
                found.truncate(most);
                found.sort_by(|left, right| left.url.key.cmp(&right.url.key));
                return Ok(found);
            }
        }
    }

    /// Bytes of an object, provided that it is still in the state of `etag`.
    pub(crate) async fn read(&self, key: &str, range: Range<u64>, etag: Option<String>) -> Result<Bytes> {
        let wanted = range.end - range.start;
        let options =
            GetOptions { range: Some(GetRange::Bounded(range)), if_match: etag, ..GetOptions::default() };
        let path = self.path(key)?;
        let got = async { self.client.get_opts(&path, options).await?.bytes().await };
        match got.await {
            Ok(bytes) if bytes.len() as u64 == wanted => Ok(bytes),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {
                Err(failure::changed(&self.url(key).to_string()))
            }
            Err(error) => Err(self.coded(&error, key, Code::FileUnreadable)),
        }
    }

    /// All of a small object with its etag; nothing if there is none.
    pub(crate) async fn whole(&self, key: &str) -> Result<Option<(Bytes, Option<String>)>> {
        let got = async {
            let got = self.client.get(&Path::parse(key)?).await?;
            let etag = got.meta.e_tag.clone();
            Ok((got.bytes().await?, etag))
        };
        match got.await {
            Ok(found) => Ok(Some(found)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.coded(&error, key, Code::FileUnreadable)),
        }
    }

    /// Puts an object, and answers whether it was in the state that `condition` wants. A store that knows no conditions heeds
    /// none.
    pub(crate) async fn put(&self, key: &str, bytes: Bytes, condition: &Condition) -> Result<bool> {
        let path = self.path(key)?;
        let put = async |mode: PutMode| {
            self.client.put_opts(&path, PutPayload::from(bytes.clone()), PutOptions::from(mode)).await
        };
        let mut done = put(condition.mode()).await;
        if done.as_ref().is_err_and(failure::is_unknown_condition) {
            done = put(PutMode::Overwrite).await;
        }
        match done {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                Ok(false)
            }
            Err(error) => Err(self.coded(&error, key, Code::OutputFailed)),
        }
    }

    pub(super) fn path(&self, key: &str) -> Result<Path> {
        Path::parse(key).ok().filter(|path| path.as_ref() == key && !key.is_empty()).ok_or_else(|| {
            Error::new(Code::BadStoreOptions, format!("{} cannot be the URL of an object", self.url(key)))
                .checked("a key has parts between slashes, none of them empty, . or ..")
        })
    }

    pub(super) fn coded(&self, error: &object_store::Error, key: &str, otherwise: Code) -> Error {
        failure::coded(error, &self.url(key).to_string(), &self.asked, otherwise)
    }

    fn object(&self, meta: &ObjectMeta) -> Object {
        let url = self.url(meta.location.to_string());
        Object { url, bytes: meta.size, etag: meta.e_tag.clone(), options: None }
    }
}

impl Condition {
    fn mode(&self) -> PutMode {
        match self {
            Self::Any => PutMode::Overwrite,
            Self::Absent => PutMode::Create,
            Self::Unchanged(etag) => {
                PutMode::Update(UpdateVersion { e_tag: Some(etag.clone()), version: None })
            }
        }
    }
}
