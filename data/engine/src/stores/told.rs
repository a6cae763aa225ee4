use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_errors::{Code, Error};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
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

/// DataFusion remembers what it has read of the end of a Parquet file by key, length and time, and times of a store are whole
/// seconds. So what is below a second tells buckets and states of an object apart.
fn told_apart(bucket: &Bucket, meta: ObjectMeta) -> ObjectMeta {
    let mut hasher = DefaultHasher::new();
    (bucket.url(""), &meta.e_tag).hash(&mut hasher);
    let below_a_second = Duration::from_nanos(hasher.finish() % 1_000_000_000);
    ObjectMeta { last_modified: meta.last_modified + below_a_second, ..meta }
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
        let mut got = self.told(path, self.0.client.get_opts(path, options).await)?;
        got.meta = told_apart(&self.0, got.meta);
        Ok(got)
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.0.client.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (bucket, path) = (self.0.clone(), prefix.cloned().unwrap_or_default());
        let listed = self.0.client.list(prefix);
        listed
            .map(move |meta| {
                meta.map(|meta| told_apart(&bucket, meta)).map_err(|error| ours(&bucket, &path, &error))
            })
            .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let listed = self.0.client.list_with_delimiter(prefix).await;
        let ListResult { objects, common_prefixes } =
            self.told(&prefix.cloned().unwrap_or_default(), listed)?;
        let objects = objects.into_iter().map(|meta| told_apart(&self.0, meta)).collect();
        Ok(ListResult { objects, common_prefixes })
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
