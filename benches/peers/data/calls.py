"""Calls of functions: `python calls.py cardoon` or `python calls.py dask`, the same program for both.

10,000 calls of a function that does nothing are mapped and their results gathered, on four workers of two threads each, after a
warm-up. Prints one line of JSON.
"""

import importlib
import json
import sys
import time

MODULES = {"cardoon": "cardoon.distributed", "dask": "distributed"}
CALLS = 10_000


def noop(value):
    return value


def main():
    distributed = importlib.import_module(MODULES[sys.argv[1]])
    cluster = distributed.LocalCluster(n_workers=4, threads_per_worker=2, dashboard_address=None)
    with cluster, distributed.Client(cluster) as client:
        client.gather(client.map(noop, range(-1000, 0)))
        begin = time.perf_counter()
        results = client.gather(client.map(noop, range(CALLS)))
        seconds = time.perf_counter() - begin
    if results != list(range(CALLS)):
        sys.exit("the results are wrong")
    print(json.dumps({"seconds": seconds}))


# Workers are new processes that import this file.
if __name__ == "__main__":
    main()
