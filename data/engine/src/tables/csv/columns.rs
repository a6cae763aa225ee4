//! Looks at files for their columns.

use std::sync::Arc;

use cardoon_csv::{Dialect, Header, Result, Sample, Source};
use cardoon_errors::Error as Coded;
use futures_util::future;

use super::failure;
use crate::stores::Stores;
use crate::tables::location::Location;

/// The columns of all files, and what samples of them hold. Objects are looked at by several threads at once, since each
/// look waits for a store.
pub(super) async fn of_files(
    locations: &[Location],
    sources: &[Arc<dyn Source>],
    dialect: &Dialect,
) -> std::result::Result<Header, Coded> {
    let has_objects = locations.iter().any(|file| matches!(file, Location::Object(_)));
    let headers = if has_objects {
        by_threads(&*Stores::of_process()?, sources, dialect).await
    } else {
        sources.iter().map(|source| look(source, dialect)).collect()
    };
    let named = headers.map(|headers| sources.iter().map(|source| source.name()).zip(headers));
    named.and_then(cardoon_csv::merge).map_err(failure::coded)
}

async fn by_threads(stores: &Stores, sources: &[Arc<dyn Source>], dialect: &Dialect) -> Result<Vec<Header>> {
    let looks = sources.iter().cloned().map(|source| {
        let dialect = dialect.clone();
        stores.handle().spawn_blocking(move || look(&source, &dialect))
    });
    let looked = future::join_all(looks).await.into_iter().zip(sources);
    looked
        .map(|(looked, source)| looked.unwrap_or_else(|error| Err(failure::stopped(source.as_ref(), error))))
        .collect()
}

fn look(source: &Arc<dyn Source>, dialect: &Dialect) -> Result<Header> {
    cardoon_csv::infer(source, dialect, Sample::default())
}
