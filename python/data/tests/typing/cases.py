"""A program of a user, which is checked and not executed."""

import pandas as pd
from typing_extensions import assert_type

import cardoon.dataframe as dd
from cardoon.distributed import Client, Future, LocalCluster

client = Client(LocalCluster(n_workers=2))
frame = dd.read_csv("logs/*.csv", blocksize="100MB")
assert_type(frame, dd.DataFrame)
assert_type(frame.compute(), pd.DataFrame)
assert_type(frame.dropna().merge(frame, on="a"), dd.DataFrame)

sizes: dd.Series = frame.groupby("user_id").size()
computed: pd.Series = sizes.compute()
assert_type(sizes + 1, dd.Series)
assert_type(sizes > 1, dd.Series)
assert_type(sizes.sum(), dd.Scalar)
assert_type(client.submit(len, [1]), Future)
