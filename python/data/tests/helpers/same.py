"""Whether an answer is the one of pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pandas.testing import assert_frame_equal, assert_series_equal


def computed(value: Any) -> Any:
    """What a lazy object gives; anything else as it is."""
    return value.compute() if hasattr(value, "compute") else value


def assert_same(ours: Any, theirs: Any, check_dtype: bool = True, numbered: bool = False) -> None:
    """Compares two answers. ``numbered``: rows of pandas are numbered anew, as ours always are."""
    ours = computed(ours)
    if numbered:
        theirs = theirs.reset_index(drop=True)
    if isinstance(theirs, pd.DataFrame):
        assert_frame_equal(ours, theirs, check_dtype=check_dtype, check_index_type=False, check_column_type=False)
    elif isinstance(theirs, pd.Series):
        assert_series_equal(ours, theirs, check_dtype=check_dtype, check_index_type=False)
    elif isinstance(theirs, float | np.floating):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    else:
        assert ours == theirs


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame whose rows come in no order, sorted by all columns."""
    return frame.sort_values(list(frame.columns)).reset_index(drop=True)
