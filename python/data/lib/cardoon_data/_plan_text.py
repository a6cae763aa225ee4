"""A plan as text for people: a step on each line, its input below it."""

from __future__ import annotations

from typing import Any

from cardoon_data._terms import Json

_SIGNS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "floor_divide": "//",
    "modulo": "%",
    "power": "**",
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_or_equal": "<=",
    "greater": ">",
    "greater_or_equal": ">=",
    "and": "and",
    "or": "or",
}


#: Steps below one another that are indented.
_INDENTED = 100

#: Of an expression, beyond which it is cut: more parts, and parts within parts, than anybody reads.
_PARTS = 1000
_DEPTH = 60


def of(plan: Json) -> str:
    """The steps, the last one first. What several steps go on with is written out once."""
    lines: list[str] = []
    written: set[int] = set()
    waiting = [(plan, 0)]
    while waiting:
        part, depth = waiting.pop()
        line = "  " * min(depth, _INDENTED) + f"{name(part)} {details(part)}".rstrip()
        below = inputs(part)
        if id(part) in written and below:
            lines.append(f"{line} (as above)")
            continue
        written.add(id(part))
        lines.append(line)
        waiting += [(each, depth + 1) for each in reversed(below)]
    return "\n".join(lines)


def name(plan: Json) -> str:
    """What the last step of a plan is called."""
    ((step, _),) = plan.items()
    return step


def details(plan: Json) -> str:
    """What its last step does."""
    ((step, body),) = plan.items()
    return _Details().of(step, body)


def inputs(plan: Json) -> list[Json]:
    """The plans whose rows its last step takes."""
    ((step, body),) = plan.items()
    match step:
        case "scan":
            return []
        case "join":
            return [body["left"], body["right"]]
        case "concat":
            return list(body["inputs"])
        case "sql":
            return [table for _, table in body["tables"]]
    return [body["input"]]


class _Details:
    """Writes what one step does, up to so many parts of its expressions."""

    def __init__(self) -> None:
        self._parts = _PARTS
        self._depth = 0

    def of(self, step: str, body: Any) -> str:
        match step:
            case "scan":
                return ", ".join(body["paths"])
            case "filter":
                return self._expr(body["condition"])
            case "select" | "assign":
                return ", ".join(map(self._named, body["columns"]))
            case "aggregate":
                keys, values = (", ".join(map(self._named, body[part])) for part in ("keys", "aggregates"))
                return f"{values} by {keys}" if keys else values
            case "sort":
                return ", ".join(map(self._key, body["by"]))
            case "limit":
                return f"{body['fetch']} rows after {body['skip']}" if body["skip"] else f"{body['fetch']} rows"
            case "join":
                return f"{body['how']} on {', '.join(body['left_on'])} = {', '.join(body['right_on'])}"
            case "distinct":
                return ", ".join(body["on"])
            case "python":
                name = body["function"]["name"]
                return f"{name} by {', '.join(body['keys'])}" if body["keys"] else str(name)
            case "sql":
                return str(body["query"])
        return ""

    def _key(self, key: Json) -> str:
        return self._expr(key["by"]) + (" descending" if key["descending"] else "")

    def _named(self, column: Json) -> str:
        text = self._expr(column["expr"])
        return text if text == column["name"] else f"{column['name']} = {text}"

    def _expr(self, expr: Json) -> str:
        self._parts -= 1
        if self._parts < 0 or self._depth == _DEPTH:
            return "…"
        self._depth += 1
        text = self._part(expr)
        self._depth -= 1
        return text

    def _part(self, expr: Json) -> str:
        ((kind, body),) = expr.items()
        match kind:
            case "column":
                return str(body)
            case "literal":
                return repr(next(iter(body.values()))) if isinstance(body, dict) else "null"
            case "binary":
                return f"({self._expr(body['left'])} {_SIGNS[body['op']]} {self._expr(body['right'])})"
            case "unary":
                return f"{body['op']}({self._expr(body['operand'])})"
            case "cast":
                return f"{body['kind']}({self._expr(body['operand'])})"
            case "is_in":
                return f"{self._expr(body['operand'])} in {len(body['values'])} values"
            case "where":
                return f"where({', '.join(self._expr(body[part]) for part in ('condition', 'then', 'otherwise'))})"
            case "call":
                return f"{body['function']}({', '.join(map(self._expr, body['arguments']))})"
            case "python":
                return f"{body['function']['name']}({', '.join(map(self._expr, body['arguments']))})"
            case "window" if not body.get("partition_by"):
                return "place"
            case "window":
                return f"place among equal {', '.join(map(self._expr, body['partition_by']))}"
        return self._aggregate(body)

    def _aggregate(self, body: Any) -> str:
        if isinstance(body, str):
            return body
        ((name, operand),) = body.items()
        return f"{name}({self._expr(operand.get('operand', operand))})"
