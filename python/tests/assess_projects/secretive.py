"""Passwords wherever a setting may hold one."""

import ssl

from celery import Celery

app = Celery("secretive", broker="redis://:hunter2@localhost:6379/0")
app.conf.broker_read_url = "redis://user:hunter2/@:;x@localhost:6379/0"
app.conf.result_backend = "db+postgresql://user:hunter2@localhost/results"
app.conf.broker_transport_options = {
    "sentinel_kwargs": {"password": "hunter2"},
    "credential_provider": "hunter2",
    "global_keyprefix": "shop:",
}
app.conf.broker_use_ssl = {"ssl_keyfile": "/etc/shop.key", "ssl_cert_reqs": ssl.CERT_NONE}
app.conf.security_key = "hunter2"
app.conf.redis_password = "hunter2"
app.conf.worker_state_db = "redis://:hunter2@localhost"
app.conf.task_hunters = "hunter2"


@app.task(default_retry_delay=7200)
def add(x, y):
    return x + y
