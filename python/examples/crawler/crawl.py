"""Ten workers crawl a site; three of them are killed on the way.

    python crawl.py [--pages N] [--seconds-per-page S]
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pages import Site
from tasks import app, start

WORKERS = 10
KILLED = 3
DEADLINE_SECS = 120


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        # The workers and the tasks in them read where to look from the environment.
        os.environ["CARDOON_BROKER"] = f"sqlite:{folder}/crawl.db"
        with Site(options.pages, options.seconds_per_page) as site, workers() as running:
            crawl(site, running)
        app.close()


def crawl(site: Site, running: list[subprocess.Popen[bytes]]) -> None:
    began = time.monotonic()
    start(f"{site.url}/page/0")
    wait_until(lambda: site.fetched() >= site.pages // 3, "a third of the pages to be fetched")
    for worker in running[:KILLED]:
        worker.send_signal(signal.SIGKILL)
    print(f"killed {KILLED} of {WORKERS} workers when {site.fetched()} of {site.pages} pages were fetched")
    wait_until(lambda: site.fetched() == site.pages, "every page to be fetched")
    results = [app.AsyncResult(f"{site.url}/page/{page}") for page in range(site.pages)]
    links = sum(result.get(timeout=DEADLINE_SECS) for result in results)
    report(site, results_retried=sum(bool(result.retries) for result in results), links=links)
    print(f"time                {time.monotonic() - began:.1f} s")


def report(site: Site, results_retried: int, links: int) -> None:
    """The site is the witness: what it served, not what the workers say of themselves."""
    print(f"pages fetched       {site.fetched()} of {site.pages}, with {links} links")
    print(f"fetched twice       {sum(times > 1 for times in site.served.values())}")
    print(f"tried again         {results_retried}, because the site had cut them off")


@contextmanager
def workers() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Ten workers of two slots each, as a shell would start them. They are ended with Ctrl-C's signal."""
    command = [sys.executable, "-m", "cardoon", "worker", "-A", "tasks", "-c", "2", "-P", "threads", "-q"]
    running = [subprocess.Popen([*command, "-n", f"crawler-{number}"]) for number in range(WORKERS)]
    try:
        yield running
    finally:
        for worker in running:
            worker.send_signal(signal.SIGINT)
        for worker in running:
            worker.wait(DEADLINE_SECS)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECS
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"waited {DEADLINE_SECS} s in vain for {what}")
        time.sleep(0.05)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Ten workers crawl a site; three of them are killed on the way.")
    parser.add_argument("--pages", type=int, default=400)
    parser.add_argument("--seconds-per-page", type=float, default=0.2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
