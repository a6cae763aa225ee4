"""What the programs beside this one share: how a query is timed, and how its answer is summed up.

Each of them is started as `python by_SYSTEM.py SETTING QUERY LOGS USERS` or as `python sql_by_SYSTEM.py SQL` and prints
one line of JSON: the seconds of the query, the seconds of what was started for it, and a summary of the answer that
does not depend on the order of its rows.
"""

import json
import time

import numpy as np

MIX = np.uint64(0x9E3779B97F4A7C15)
MASK = (1 << 64) - 1
# Float columns are weighted by their rows, so that values of two rows cannot be exchanged unseen.
WEIGHTS = np.uint64(1009)


def give(query, columns, start=0.0):
    """Times `query()`, whose result `columns` makes a list of numpy arrays, which is not timed."""
    begin = time.perf_counter()
    result = query()
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "start": start, **summary(columns(result))}))


def columns_of_table(table):
    """Those of Arrow's. Decimals become floats, but whole numbers if they have no decimals."""
    return [plain(column).to_numpy() for column in table.columns]


def plain(column):
    if not str(column.type).startswith("decimal"):
        return column
    return column.cast("int64" if column.type.scale == 0 else "float64")


def summary(columns):
    """The number of rows, the sum of the rows' hashes, and of each float column the weighted sum."""
    columns = [np.ma.getdata(column) for column in columns]
    hashes = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        if column.dtype.kind != "f":
            hashes = (hashes ^ words(column)) * MIX
            hashes ^= hashes >> np.uint64(32)
    weights = (hashes % WEIGHTS + np.uint64(1)).astype(np.float64)
    floats = [float((column * weights).sum()) for column in columns if column.dtype.kind == "f"]
    return {"rows": len(hashes), "checksum": int(hashes.sum(dtype=np.uint64)), "floats": floats}


def words(column):
    """One number of 64 bits for each value: a whole number itself, a time in seconds since 1970, a text's hash."""
    if column.dtype.kind in "iu":
        return column.astype(np.int64).astype(np.uint64)
    if column.dtype.kind == "M":
        return column.astype("datetime64[s]").astype(np.int64).astype(np.uint64)
    texts, places = np.unique(column.astype(str), return_inverse=True)
    return np.array([fnv1a(text) for text in texts], np.uint64)[places]


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001B3 & MASK
    return value
