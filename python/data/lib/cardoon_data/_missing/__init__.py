"""What pandas and Dask have and this package has not: who asks for it is told so by name, and what comes nearest.

Tables say what is nearest: :mod:`.frames` of frames, :mod:`.clients` of clusters, calls and futures. :class:`Told` reads them for
objects, :func:`of_module` for modules.
"""

from cardoon_data._missing.clients import AS_COMPLETED, CLIENT, CLUSTER, DELAYED, DISTRIBUTED, FUTURE, OPTIONS
from cardoon_data._missing.clients import WITHOUT_EFFECT
from cardoon_data._missing.frames import COLLECTION, DATES, FRAME, GROUPBY, MODULE, RESULT, SCALAR, SERIES, STRINGS
from cardoon_data._missing.refusal import NotSupported, Told, of_module, option, options

__all__ = [
    "AS_COMPLETED",
    "CLIENT",
    "CLUSTER",
    "COLLECTION",
    "DATES",
    "DELAYED",
    "DISTRIBUTED",
    "FRAME",
    "FUTURE",
    "GROUPBY",
    "MODULE",
    "OPTIONS",
    "RESULT",
    "SCALAR",
    "SERIES",
    "STRINGS",
    "WITHOUT_EFFECT",
    "NotSupported",
    "Told",
    "of_module",
    "option",
    "options",
]
