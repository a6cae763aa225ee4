"""Exceptions that both sides can import."""

from __future__ import annotations


class Refused(Exception):
    """Has what it is called with as its arguments."""


class OutOfStock(Exception):
    """Wants two arguments, and is shown in words of its own."""

    def __init__(self, article: str, left: int) -> None:
        super().__init__(article, left)
        self.article = article
        self.left = left

    def __str__(self) -> str:
        return f"only {self.left} of {self.article}"
