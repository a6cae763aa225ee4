use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use cardoon_errors::{Code, Error};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::bucket::Bucket;
use crate::errors;

/// A bucket for DataFusion, whose errors are ours.
pub(super) struct Told(Arc<Bucket>);

/// An error of ours within one of the store: found among its causes in this process, and within its text by whoever
/// gets that from an executor.
struct Said {
    text: String,
    error: Error,
}

impl Told {
    pub(super) fn new(bucket: Bucket) -> Self {
        Self(Arc::new(bucket))
    }

    fn told<T>(&self, path: &Path, result: Result<T>) -> Result<T> {
        result.map_err(|error| ours(&self.0, path, &error))
    }
}

fn ours(bucket: &Bucket, path: &Path, error: &object_store::Error) -> object_store::Error {
    let error = bucket.coded(error, path.as_ref(), Code::FileUnreadable);
    let said = Said { text: errors::carried_text(&error), error };
    object_store::Error::Generic { store: "S3", source: Box::new(said) }
}

#[async_trait]
impl ObjectStore for Told {
    async fn put_opts(&self, path: &Path, bytes: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.told(path, self.0.client.put_opts(path, bytes, options).await)
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.told(path, self.0.client.put_multipart_opts(path, options).await)
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        self.told(path, self.0.client.get_opts(path, options).await)
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.0.client.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (bucket, path) = (self.0.clone(), prefix.cloned().unwrap_or_default());
        self.0.client.list(prefix).map_err(move |error| ours(&bucket, &path, &error)).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let listed = self.0.client.list_with_delimiter(prefix).await;
        self.told(&prefix.cloned().unwrap_or_default(), listed)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.told(from, self.0.client.copy_opts(from, to, options).await)
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.url(""))
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.url(""))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Said {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
