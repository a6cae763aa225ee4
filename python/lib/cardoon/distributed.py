"""Dask's client: ``from cardoon.distributed import Client, LocalCluster``. Part of the distribution ``cardoon-data``."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

from typing import TYPE_CHECKING

try:
    from cardoon_data.distributed import *  # noqa: F403
    from cardoon_data.distributed import __all__ as __all__

    if not TYPE_CHECKING:  # A type checker is to find names that are not there.
        from cardoon_data.distributed import __getattr__ as __getattr__
except ModuleNotFoundError as error:
    if error.name != "cardoon_data":
        raise
    raise ImportError(
        "cardoon.distributed needs the distribution cardoon-data, which is not installed; "
        "from a checkout: pip install ./python ./python/data",
        name="cardoon_data",
    ) from None
