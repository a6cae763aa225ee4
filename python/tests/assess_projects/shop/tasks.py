import functools

import celery
from celery import Task, chain, shared_task
from celery.worker.request import Request


class Counted(Task):
    abstract = True

    def __call__(self, *args, **kwargs):
        return super().__call__(*args, **kwargs)

    def on_failure(self, exc, task_id, args, kwargs, einfo):
        pass

    def apply_async(self, *args, **kwargs):
        return super().apply_async(*args, **kwargs)


class OwnRequest(Request):
    pass


class Requested(Task):
    abstract = True
    Request = OwnRequest


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@shared_task(base=Counted)
def counted():
    pass


@shared_task(base=Requested)
def requested():
    pass


@shared_task(bind=True, max_retries=None)
@logged
def bound(self):
    pass


@shared_task
async def awaited():
    pass


@shared_task(autoretry_for=(OSError,), retry_backoff=True, retry_backoff_max=86400, max_retries=3)
def patient():
    pass


@shared_task(autoretry_for=(OSError,), retry_backoff=True, retry_backoff_max=86400, max_retries=20)
def too_patient():
    pass


@shared_task(default_retry_delay=7200)
def slow_to_retry():
    pass


@shared_task
def checkout():
    return [chain(counted.s(), counted.s()) for _ in range(2)]


@shared_task
def checkout_by_module():
    return celery.group(counted.s())


@shared_task
def chained_strings(values):
    import itertools

    return list(itertools.chain(values))


@shared_task(
    rate_limit="10/m",
    time_limit=7200,
    serializer="pickle",
    compression="brotli",
    expires=7200,
    priority=3,
    track_started=True,
    ignore_result=True,
    acks_on_failure_or_timeout=False,
)
def many_options():
    pass


@shared_task(acks_late=False)
def early():
    pass


@shared_task(reject_on_worker_lost=False)
def lost_with_its_process():
    pass


@shared_task
def checkout_by_import():
    from celery import chord

    return chord


@shared_task
def send_once():
    counted.apply_async(task_id="the-only-one")


@shared_task(bind=True)
def replaced(self):
    raise self.replace(counted.si())
