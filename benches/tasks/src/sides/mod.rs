//! Who is measured: one file a side.

pub(crate) mod apalis;
pub(crate) mod bare_redis;
pub(crate) mod bare_sqlite;
pub(crate) mod bare_streams;
pub(crate) mod bullmq;
pub(crate) mod cardoon_command;
pub(crate) mod cardoon_python;
pub(crate) mod celery;
pub(crate) mod huey;
pub(crate) mod huey_redis;
pub(crate) mod peer;
pub(crate) mod taskiq;
