"""Values that travel between the sides."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

_UTC = datetime.timezone.utc
_INDIA = datetime.timezone(datetime.timedelta(hours=5, minutes=30))

#: What JSON has types for.
PLAIN: dict[str, Any] = {
    "nothing": None,
    "truth": [True, False],
    "text": "naïve 任务 \U0001f335 \u2028 \x00 \" \\ / </script>",
    "numbers": [0, -1, 2**31, 2**53 + 1, -(2**63), 2**64, 10**40],
    "floats": [0.1, -2.5, 1e308, 5e-324, 1.0, -0.0, 1 / 3],
    "nested": {"a": [[], {}, {"b": [1, [2, [3, {"c": None}]]]}], "": "", "ключ": {"x": "y"}},
    "long": ["x" * 1000] * 100,
}

#: What kombu adds to them.
TYPED: dict[str, Any] = {
    "datetime": datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=_UTC),
    "datetime-elsewhere": datetime.datetime(2026, 1, 2, 3, 4, tzinfo=_INDIA),
    "datetime-naive": datetime.datetime(2026, 1, 2, 3, 4, 5),
    "date": datetime.date(2026, 2, 28),
    "time": datetime.time(23, 59, 58, 7),
    "decimal": [Decimal("3.10"), Decimal("-1E+400"), Decimal("0.1")],
    "uuid": UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    "bytes": "bytes that are text: 任".encode(),
    "bytes-not-text": b"\xff\x00\xfe",
    "typed-in-nested": {"when": [datetime.date(2026, 1, 1), {"price": Decimal("9.99")}]},
}
