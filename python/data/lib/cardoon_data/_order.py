"""Which plans must be carried out in the order of the files.

Several threads read files faster than one, and in no order. pandas and Dask keep it, so what is not sorted or aggregated is
read by one thread.
"""

from __future__ import annotations

from collections.abc import Callable

from cardoon_data._terms import Json

_KEEPING = ("select", "filter", "assign", "limit")
_OF_ORDER = ("first", "last")


def matters(plan: Json) -> bool:
    """Whether the result would be another one if rows were read in another order."""
    return _is_ordered(plan) or _depends(plan)


def needs_one_reader(plan: Json) -> bool:
    """Whether even readers of parts of the files that follow each other would give another result. Only plans with functions
    of Python are worth parts: others have little to do beside reading."""
    if not matters(plan):
        return False
    return not has_functions(plan) or (_is_ordered(plan) and not _has_parts(plan)) or _depends(plan, _has_parts)


def has_functions(plan: Json) -> bool:
    """Whether functions of Python are called."""
    if isinstance(plan, dict):
        return "python" in plan or any(has_functions(part) for part in plan.values())
    return isinstance(plan, list) and any(has_functions(part) for part in plan)


def _has_parts(plan: Json) -> bool:
    """Whether the rows of parts of the files, one after the other, are those of the whole."""
    ((step, body),) = plan.items()
    if step in ("select", "filter", "assign") or (step == "python" and not body["keys"]):
        return _has_parts(body["input"])
    return step == "scan"


def _is_ordered(plan: Json) -> bool:
    """Whether rows come out in the order of the files."""
    ((step, body),) = plan.items()
    if step in _KEEPING:
        return _is_ordered(body["input"])
    if step == "concat":
        return any(_is_ordered(part) for part in body["inputs"])
    if step == "python":
        # What is sorted has an order too, which the engine does not know of behind a function.
        return not body["keys"] and (_is_ordered(body["input"]) or bool(lifted(body["input"])[1]))
    return step in ("scan", "distinct")


def _depends(plan: Json, may_be: Callable[[Json], bool] = lambda plan: False) -> bool:
    """Whether some step takes rows by their place. The rows of groups are taken so, unless their input ``may_be`` read in
    parts."""
    ((step, body),) = plan.items()
    match step:
        case "aggregate" if any(_is_first_or_last(named["expr"]) for named in body["aggregates"]):
            return True
        case "distinct" if body["on"]:
            return True
        case "limit" if _is_ordered(body["input"]):
            return True
        case "python" if body["keys"] and _is_ordered(body["input"]) and not may_be(body["input"]):
            return True
        case "scan":
            return False
        case "join":
            return _depends(body["left"], may_be) or _depends(body["right"], may_be)
        case "concat":
            return any(_depends(part, may_be) for part in body["inputs"])
        case "sql":
            return any(_depends(table, may_be) for _, table in body["tables"])
    return _depends(body["input"], may_be)


def _is_first_or_last(expr: Json) -> bool:
    aggregate = expr["aggregate"]
    return isinstance(aggregate, dict) and next(iter(aggregate)) in _OF_ORDER


def kept(plan: Json, columns: list[str]) -> Json:
    """The same rows of these columns, with the step that sorts them last: the engine does not keep their order behind it."""
    ((step, _),) = plan.items()
    if step not in ("select", "filter", "assign"):
        return plan
    made, by = lifted(plan)
    if not by:
        return plan
    named = [{"name": name, "expr": {"column": name}} for name in columns]
    return {"select": {"input": {"sort": {"input": made, "by": by}}, "columns": named}}


def lifted(plan: Json) -> tuple[Json, list[Json]]:
    """The plan without its last sort, and by what its rows are to be sorted: nothing if they come as they are. It may have
    columns more, for that."""
    ((step, body),) = plan.items()
    match step:
        case "sort":
            return body["input"], body["by"]
        case "limit":
            # It takes the first rows, and so they are sorted before and after.
            return plan, lifted(body["input"])[1]
        case "filter" | "select" | "assign":
            made, by = lifted(body["input"])
            if not by:
                return plan, []
            if step == "filter":
                return {"filter": {**body, "input": made}}, by
            columns, by = _carried(step, body["columns"], by)
            return {step: {"input": made, "columns": columns}}, by
    return plan, []


def _carried(step: str, columns: list[Json], by: list[Json]) -> tuple[list[Json], list[Json]]:
    """The columns of a step, and with them those that rows are sorted by, under names that they keep or get."""
    columns, carried = list(columns), []
    for position, key in enumerate(by):
        name = _name_after(step, columns, key["by"]) or f"__sort_{position}__"
        if name.startswith("__sort_"):
            columns.append({"name": name, "expr": key["by"]})
        carried.append({**key, "by": {"column": name}})
    return columns, carried


def _name_after(step: str, columns: list[Json], expr: Json) -> str | None:
    """What a column is called after a step, if it is still there."""
    if step == "assign" and all(column["name"] != expr["column"] for column in columns):
        return str(expr["column"])
    return next((column["name"] for column in columns if column["expr"] == expr), None)


def parts(plan: Json) -> list[Json]:
    """Plans whose rows, one after the other, are those of ``plan``: the engine reads the parts of a concatenation together."""
    ((step, body),) = plan.items()
    if step == "concat":
        return [part for inner in body["inputs"] for part in parts(inner)]
    if step in ("select", "filter", "assign") or (step == "python" and not body["keys"]):
        inner = parts(body["input"])
        return [plan] if len(inner) == 1 else [{step: {**body, "input": part}} for part in inner]
    return [plan]
