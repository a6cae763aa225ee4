"""A task of Cardoon's Python package that is a coroutine, and a program that sends many: `fill N`. Apart from the other
tasks, because `asyncio` takes memory that they do without, as those of other task queues do."""

import asyncio
import os
import sys

from cardoon import App

app = App("cardoon_coroutines", broker=os.environ["BENCH_URL"])


@app.task(name="bench.doze")
async def doze():
    await asyncio.sleep(0.1)


if __name__ == "__main__":
    app.send_many((doze, ()) for _ in range(int(sys.argv[2])))
    print(0)
    app.close()
