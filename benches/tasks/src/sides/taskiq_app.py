"""The no-op of taskiq on a stream of Redis, and a program that sends it: `fill N` and `send N`."""

import asyncio
import os
import sys
import time

from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

URL = os.environ["BENCH_URL"]

broker = RedisStreamBroker(url=URL, queue_name="bench", consumer_group_name="bench")
if os.environ["BENCH_IGNORE_RESULT"] != "1":
    broker = broker.with_result_backend(RedisAsyncResultBackend(URL))


@broker.task(task_name="bench.noop")
async def noop():
    pass


async def send(count):
    await broker.startup()
    start = time.perf_counter()
    for _ in range(count):
        await noop.kiq()
    print(count / (time.perf_counter() - start))
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(send(int(sys.argv[2])))
