use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use datafusion::object_store::ObjectStore;
use url::Url;

use super::pool::Stores;
use super::told::Told;

/// Where DataFusion finds files and objects: `s3://bucket`, with the name of options before an `@`.
#[derive(Debug, Default)]
pub(crate) struct Registry(DefaultObjectStoreRegistry);

impl ObjectStoreRegistry for Registry {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        self.0.register_store(url, store)
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        self.0.deregister_store(url)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        if url.scheme() != "s3" {
            return self.0.get_store(url);
        }
        let options = Some(url.username()).filter(|name| !name.is_empty());
        let bucket = Stores::of_process()
            .and_then(|stores| stores.bucket(url.host_str().unwrap_or_default(), options))
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Arc::new(Told::new(bucket)))
    }
}
