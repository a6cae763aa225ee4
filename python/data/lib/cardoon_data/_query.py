"""``frame.query``: a condition as text. Nothing of it is executed; it is read as Python and made a term."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections.abc import Mapping
from typing import Any

from cardoon_data import _terms
from cardoon_data._missing import NotSupported
from cardoon_data._table import Table
from cardoon_data._terms import Term

_VARIABLE = "__variable_"
_QUOTED = "__quoted_"

_LONGEST = 100_000

_WORDS = {"&": "and", "|": "or", "~": "not"}

_BINARY: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "modulo",
    ast.Pow: "power",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
    ast.Lt: "less",
    ast.LtE: "less_or_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_or_equal",
    ast.And: "and",
    ast.Or: "or",
}


def condition(text: str, table: Table, variables: Mapping[str, Any]) -> Term:
    """The term of a condition. ``ValueError`` if it cannot be read, :class:`NoSuchColumn` if it names none of the table's."""
    if len(text) > _LONGEST:
        raise ValueError("the query is too long")
    source, quoted = _python(text.strip())
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"the query cannot be read: {text!r:.200}: {error}") from None
    term = _Reader(table, variables, quoted).term(tree.body)
    if term.kind != "boolean":
        raise ValueError(f"the query is no condition: {text!r:.200}")
    return term


def variables_of_caller(text: str) -> Mapping[str, Any]:
    """The variables of who called the method that calls this, if the query names any."""
    if "@" not in text:
        return {}
    frame = sys._getframe(2)
    return {**frame.f_globals, **frame.f_locals}


def _python(text: str) -> tuple[str, list[str]]:
    """The query as Python: ``&`` and ``|`` bind as ``and`` and ``or``; ``@name`` and names in backticks become names."""
    quoted: list[str] = []
    parts = text.split("`")
    if len(parts) % 2 == 0:
        raise ValueError(f"a backtick is not closed: {text!r:.200}")
    for position in range(1, len(parts), 2):
        quoted.append(parts[position])
        parts[position] = f"{_QUOTED}{len(quoted) - 1}"
    words: list[tuple[int, str]] = []
    is_variable = False
    try:
        for token in tokenize.generate_tokens(io.StringIO("".join(parts)).readline):
            if token.type == tokenize.OP and token.string == "@":
                is_variable = True
                continue
            words.append(_word(token, is_variable))
            is_variable = False
    except (tokenize.TokenError, SyntaxError) as error:
        raise ValueError(f"the query cannot be read: {text!r:.200}: {error}") from None
    return tokenize.untokenize(words).strip(), quoted


def _word(token: tokenize.TokenInfo, is_variable: bool) -> tuple[int, str]:
    if is_variable:
        return token.type, _VARIABLE + token.string
    if token.type == tokenize.OP and token.string in _WORDS:
        return tokenize.NAME, _WORDS[token.string]
    return token.type, token.string


class _Reader:
    """Makes terms of a tree of Python."""

    def __init__(self, table: Table, variables: Mapping[str, Any], quoted: list[str]) -> None:
        self._table = table
        self._variables = variables
        self._quoted = quoted

    def term(self, node: ast.AST) -> Term:
        match node:
            case ast.Name(id=name) if not name.startswith(_VARIABLE):
                return self._column(name)
            case ast.Constant() | ast.Name():
                return _terms.literal(self._value(node))
            case ast.BoolOp(op=op, values=[first, *rest]):
                made = self.term(first)
                for value in rest:
                    made = _terms.binary(_BINARY[type(op)], made, self.term(value))
                return made
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _terms.binary(_BINARY[type(op)], self.term(left), self.term(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return _terms.inverted(self.term(operand))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return _terms.negated(self.term(operand))
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._comparisons(left, ops, others)
        raise NotSupported(f"query does not know {ast.unparse(node)!r:.100}; write the condition in brackets, or use sql()")

    def _comparisons(self, left: ast.AST, ops: list[ast.cmpop], others: list[ast.expr]) -> Term:
        """``1 < a < 5`` holds if each of its comparisons does."""
        made: Term | None = None
        for op, other in zip(ops, others, strict=True):
            one = self._comparison(left, op, other)
            made = one if made is None else _terms.binary("and", made, one)
            left = other
        if made is None:
            raise ValueError("a comparison compares nothing")
        return made

    def _comparison(self, left: ast.AST, op: ast.cmpop, right: ast.AST) -> Term:
        is_list = isinstance(right, ast.List | ast.Tuple | ast.Set)
        if isinstance(op, ast.In | ast.NotIn) or (is_list and isinstance(op, ast.Eq | ast.NotEq)):
            found = _terms.is_in(self.term(left), self._value(right))
            return _terms.inverted(found) if isinstance(op, ast.NotIn | ast.NotEq) else found
        if type(op) not in _BINARY:
            raise NotSupported("query does not know `is`; use isnull() in a condition in brackets")
        return _terms.binary(_BINARY[type(op)], self.term(left), self.term(right))

    def _column(self, name: str) -> Term:
        if name.startswith(_QUOTED):
            name = self._quoted[int(name.removeprefix(_QUOTED))]
        for level in self._table.index:
            if level.name == name:
                return self._table.term(level.column)
        return self._table.term(self._table.name(name))

    def _value(self, node: ast.AST) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name.startswith(_VARIABLE):
                name = name.removeprefix(_VARIABLE)
                if name not in self._variables:
                    raise NameError(f"local variable {name!r} is not defined", name=name)
                return self._variables[name]
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return [self._value(part) for part in parts]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._value(operand)
        raise NotSupported(f"{ast.unparse(node)!r:.100} is no constant; put it into a variable and name that as @name")
