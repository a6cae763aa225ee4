use std::sync::Arc;

use cardoon::App;
use cardoon_connect::Stores;
use cardoon_doctor::Patient;
use cardoon_protocol::Limits;
use cardoon_runtime::{Clock, Supervisor};

use crate::auth::TokenFile;
use crate::events::Hub;
use crate::metrics::Meter;
use crate::sending::{Keys, Sender};

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) app: App,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) services: Supervisor,
    pub(crate) sender: Sender,
    pub(crate) keys: Keys,
    pub(crate) hub: Arc<Hub>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) tokens: Option<TokenFile>,
    /// Whether only this machine can reach it.
    pub(crate) on_loopback: bool,
    pub(crate) body_limit: usize,
    pub(crate) patient: Option<Patient>,
    /// Is held by the examination that goes on.
    pub(crate) examining: tokio::sync::Mutex<()>,
}

impl Shared {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn stores(&self) -> &Stores {
        self.app.stores()
    }
}

impl std::ops::Deref for Shared {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
