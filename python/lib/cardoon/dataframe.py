"""Dask's dataframes: ``import cardoon.dataframe as dd``.

They are a distribution of their own, ``cardoon-data``: who queues mails need not install a query engine.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    from cardoon_data import *  # noqa: F403
    from cardoon_data import __all__ as __all__

    if not TYPE_CHECKING:  # A type checker is to find names that are not there.
        from cardoon_data import __getattr__ as __getattr__
except ModuleNotFoundError as error:
    if error.name != "cardoon_data":
        raise
    raise ImportError(
        "cardoon.dataframe needs the distribution cardoon-data, which is not installed; "
        "from a checkout: pip install ./python ./python/data",
        name="cardoon_data",
    ) from None
