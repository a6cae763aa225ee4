"""Fetches pages, and the pages that they link to."""

from __future__ import annotations

import re
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin
from urllib.request import urlopen

from cardoon import Celery

app = Celery("tasks")

LINK = re.compile(r'href="([^"]+)"')


@app.task(
    # A page that is not there (HTTPError) is not there the next time either; a broken connection may be.
    autoretry_for=(ConnectionError, TimeoutError, URLError),
    dont_autoretry_for=(HTTPError,),
    max_retries=5,
    retry_backoff=True,
)
def fetch(url: str) -> int:
    """Fetches one page and sends a task for each of its links. Returns how many there are."""
    with urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    links = [urljoin(url, link) for link in LINK.findall(text)]
    for link in links:
        start(link)
    return len(links)


def start(url: str) -> None:
    """Has a page fetched. The page's address is the id of its task, and an id that was sent before adds nothing: so
    each page has one task, however many pages link to it."""
    fetch.apply_async((url,), task_id=url)
