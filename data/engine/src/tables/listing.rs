//! Files that DataFusion reads itself.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::slice;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::{SessionConfig, SessionContext};
use futures_util::{StreamExt as _, future, stream};
use url::Url;

use super::location::Location;
use crate::errors::{self, IntoEngine as _};
use crate::session;
use crate::stores::Object;

/// Files that are looked at together for the one that is broken.
const AT_A_TIME: usize = 16;

/// All of them as one table.
pub(super) async fn open(files: &[Location], format: Arc<dyn FileFormat>) -> Result<Arc<dyn TableProvider>> {
    let urls =
        files.iter().map(|file| ListingTableUrl::try_new(url(file)?, None)).collect::<Result<Vec<_>>>()?;
    // The files have been found already, whatever their names end in.
    let options = ListingOptions::new(format).with_file_extension("");
    let state = SessionContext::new_with_config_rt(SessionConfig::new(), session::finding()?).state();
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .infer_schema(&state)
        .await?;
    Ok(Arc::new(ListingTable::try_new(config)?))
}

/// The error of the first of many files that cannot be opened, which the engine does not name.
pub(super) async fn first_broken(files: &[Location], format: Arc<dyn FileFormat>) -> Option<DataFusionError> {
    let opened = stream::iter(files.to_vec()).map(|file| {
        let format = format.clone();
        async move {
            let error = open(slice::from_ref(&file), format).await.err()?;
            Some(errors::broken(&file.to_string(), &error).unwrap_or(error))
        }
    });
    let mut faults = opened.buffered(AT_A_TIME).filter_map(future::ready);
    faults.next().await
}

/// The whole path of a file, without `..`, which the engine refuses.
fn plain(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    if path.components().any(|part| part == Component::ParentDir) { path.canonicalize() } else { Ok(path) }
}

/// By its parts, since brackets and stars in a name are no pattern any more.
fn url(file: &Location) -> Result<Url> {
    let none = || errors::internal("a file has no URL").into_engine();
    match file {
        Location::Local(path) => Url::from_file_path(plain(path)?).map_err(|()| none()),
        Location::Object(Object { url: object, options, .. }) => {
            let mut url = Url::parse(&format!("s3://{}", object.bucket)).map_err(|_| none())?;
            url.set_username(options.as_deref().unwrap_or_default()).map_err(|()| none())?;
            url.path_segments_mut().map_err(|()| none())?.extend(object.key.split('/'));
            Ok(url)
        }
    }
}
