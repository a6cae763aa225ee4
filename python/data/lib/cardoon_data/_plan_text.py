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


def of(plan: Json, depth: int = 0) -> str:
    """The steps, the last one first."""
    ((step, body),) = plan.items()
    lines = ["  " * depth + f"{step} {_details(step, body)}".rstrip()]
    lines += [of(part, depth + 1) for part in _inputs(step, body)]
    return "\n".join(lines)


def _inputs(step: str, body: Any) -> list[Json]:
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


def _details(step: str, body: Any) -> str:
    match step:
        case "scan":
            return ", ".join(body["paths"])
        case "filter":
            return _expr(body["condition"])
        case "select" | "assign":
            return ", ".join(map(_named, body["columns"]))
        case "aggregate":
            keys, values = (", ".join(map(_named, body[part])) for part in ("keys", "aggregates"))
            return f"{values} by {keys}" if keys else values
        case "sort":
            return ", ".join(_expr(key["by"]) + (" descending" if key["descending"] else "") for key in body["by"])
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


def _named(column: Json) -> str:
    text = _expr(column["expr"])
    return text if text == column["name"] else f"{column['name']} = {text}"


def _expr(expr: Json) -> str:
    ((kind, body),) = expr.items()
    match kind:
        case "column":
            return str(body)
        case "literal":
            return repr(next(iter(body.values()))) if isinstance(body, dict) else "null"
        case "binary":
            return f"({_expr(body['left'])} {_SIGNS[body['op']]} {_expr(body['right'])})"
        case "unary":
            return f"{body['op']}({_expr(body['operand'])})"
        case "cast":
            return f"{body['kind']}({_expr(body['operand'])})"
        case "is_in":
            return f"{_expr(body['operand'])} in {len(body['values'])} values"
        case "where":
            return f"where({', '.join(_expr(body[part]) for part in ('condition', 'then', 'otherwise'))})"
        case "call":
            return f"{body['function']}({', '.join(map(_expr, body['arguments']))})"
        case "python":
            return f"{body['function']['name']}({', '.join(map(_expr, body['arguments']))})"
        case "window" if not body.get("partition_by"):
            return "place"
        case "window":
            return f"place among equal {', '.join(map(_expr, body['partition_by']))}"
    return _aggregate(body)


def _aggregate(body: Any) -> str:
    if isinstance(body, str):
        return body
    ((name, operand),) = body.items()
    return f"{name}({_expr(operand.get('operand', operand))})"
