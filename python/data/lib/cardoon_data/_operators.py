"""Python's operators, for whatever has values: series and scalars."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Operators(ABC, Generic[T]):
    """Each operator makes another ``T``. ``reflected``: the other value stands on the left side."""

    @abstractmethod
    def _binary(self, op: str, other: Any, reflected: bool = False) -> T: ...

    def __add__(self, other: Any) -> T:
        return self._binary("add", other)

    def __radd__(self, other: Any) -> T:
        return self._binary("add", other, True)

    def __sub__(self, other: Any) -> T:
        return self._binary("subtract", other)

    def __rsub__(self, other: Any) -> T:
        return self._binary("subtract", other, True)

    def __mul__(self, other: Any) -> T:
        return self._binary("multiply", other)

    def __rmul__(self, other: Any) -> T:
        return self._binary("multiply", other, True)

    def __truediv__(self, other: Any) -> T:
        return self._binary("divide", other)

    def __rtruediv__(self, other: Any) -> T:
        return self._binary("divide", other, True)

    def __floordiv__(self, other: Any) -> T:
        return self._binary("floor_divide", other)

    def __rfloordiv__(self, other: Any) -> T:
        return self._binary("floor_divide", other, True)

    def __mod__(self, other: Any) -> T:
        return self._binary("modulo", other)

    def __rmod__(self, other: Any) -> T:
        return self._binary("modulo", other, True)

    def __pow__(self, other: Any) -> T:
        return self._binary("power", other)

    def __rpow__(self, other: Any) -> T:
        return self._binary("power", other, True)

    def __eq__(self, other: Any) -> T:  # type: ignore[override]
        return self._binary("equal", other)

    def __ne__(self, other: Any) -> T:  # type: ignore[override]
        return self._binary("not_equal", other)

    def __lt__(self, other: Any) -> T:
        return self._binary("less", other)

    def __le__(self, other: Any) -> T:
        return self._binary("less_or_equal", other)

    def __gt__(self, other: Any) -> T:
        return self._binary("greater", other)

    def __ge__(self, other: Any) -> T:
        return self._binary("greater_or_equal", other)

    def __and__(self, other: Any) -> T:
        return self._binary("and", other)

    def __rand__(self, other: Any) -> T:
        return self._binary("and", other, True)

    def __or__(self, other: Any) -> T:
        return self._binary("or", other)

    def __ror__(self, other: Any) -> T:
        return self._binary("or", other, True)

    __hash__ = object.__hash__
