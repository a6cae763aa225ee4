"""Calls of functions that run beside the program: on the task queue in processes of their own, or in threads.

```
 client ─ submit ─► Queue ─ pickled, signed ─► task queue ─► worker ─► child: opens, calls, signs the answer
                      ▲                       (a database in a private folder)          │
                      └──────────────────── records of ended tasks ◄────────────────────┘
```

``futures`` has what the program holds, ``runner`` the order in which calls may start, ``queue`` and ``threads`` the two
ways to run them. ``callbacks`` tells the program of ends, and ``lost`` finds calls that are gone. ``seal``, ``parcels`` and
``pickles`` are what travels, ``task`` is what a worker's child does, and ``worker`` the worker itself.
"""
