"""From the merged structure of JSON records to flat columns by path.

A pure function from the engine's structure (nested mappings and lists of type names) to column
names and expressions; no file and no engine. `jsonfile` calls it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dvtool.quality.tables.engine import quoted

_SCALARS = {
    "BOOLEAN": "BOOLEAN",
    "BIGINT": "BIGINT",
    "UBIGINT": "UBIGINT",
    "DOUBLE": "DOUBLE",
    "VARCHAR": "VARCHAR",
    "NULL": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One column of a JSON table.

    Args:
        name: Its path: `user.name`, `messages[].role`, `tags`.
        expression: SQL over the transformed record `s`.
        type: Engine type; a list type when the path crosses a list.
        keys: Keys from the top, for as far as no list is crossed.
        mixed: Whether records disagree on what stands here, so that it is kept as JSON text.
    """

    name: str
    expression: str
    type: str
    keys: tuple[str, ...]
    mixed: bool = False


def target(shape: object) -> object:
    """Returns the structure to transform records to: unknown types as text, mixtures as JSON."""
    if isinstance(shape, dict):
        return {key: target(one) for key, one in shape.items()} or "JSON"
    if isinstance(shape, list):
        return [target(shape[0]) if shape else "VARCHAR"]
    return _SCALARS.get(str(shape), shape)


def without_clashes(shape: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns structures that together have all fields, none with two names that differ by case only.

    The engine's records know no case. Nearly every structure comes back alone and as it is.
    """
    return [one for one in _parts(shape) if isinstance(one, dict)]


def _parts(shape: object) -> list[object]:
    if isinstance(shape, list) and shape:
        return [[one] for one in _parts(shape[0])]
    if not isinstance(shape, dict):
        return [shape]
    parts: list[dict[str, object]] = [{}]
    taken: list[set[str]] = [set()]
    for key, below in shape.items():
        bare = key.casefold()
        for one in _parts(below):
            place = next((n for n, known in enumerate(taken) if bare not in known), len(parts))
            if place == len(parts):
                parts.append({})
                taken.append(set())
            parts[place][key] = one
            taken[place].add(bare)
    return list(parts)


def leaves(shape: dict[str, Any], record: str = "s") -> list[Leaf]:
    """Returns the columns of a merged structure in the order in which the keys first occur.

    Args:
        shape: As `json_group_structure` gives it; an empty mapping gives no column.
        record: SQL name of the transformed record.
    """
    return [leaf for key, one in shape.items() for leaf in _walk(one, (key,), record)]


def _walk(shape: object, keys: tuple[str, ...], record: str) -> Iterator[Leaf]:
    name = ".".join(keys)
    expression = ".".join([record, *(quoted(key) for key in keys)])
    if isinstance(shape, dict) and shape:
        for key, one in shape.items():
            yield from _walk(one, (*keys, key), record)
    elif isinstance(shape, list):
        yield from _listed(shape[0] if shape else "NULL", name, expression, keys)
    elif str(shape) in _SCALARS:
        yield Leaf(name, expression, _SCALARS[str(shape)], keys)
    else:
        mixed = shape == "JSON"
        text = f"json_extract_string({expression}, '$')"
        yield Leaf(name, text, "VARCHAR", keys, mixed)


def _listed(item: object, name: str, expression: str, keys: tuple[str, ...]) -> Iterator[Leaf]:
    """Yields the columns of a list: itself for plain items, one for each field of its objects."""
    if isinstance(item, dict) and item:
        for key, one in item.items():
            inner = f"list_transform({expression}, lambda x: x.{quoted(key)})"
            path = f"{name}[].{key}"
            if isinstance(one, list):
                yield from _listed(one[0] if one else "NULL", path, f"flatten({inner})", keys)
            elif isinstance(one, dict):
                yield from _listed(one, path, inner, keys)
            else:
                yield _plain(one, path, inner, keys)
    elif isinstance(item, list):
        yield from _listed(item[0] if item else "NULL", f"{name}[]", f"flatten({expression})", keys)
    else:
        yield _plain(item, name, expression, keys)


def _plain(item: object, name: str, expression: str, keys: tuple[str, ...]) -> Leaf:
    if str(item) in _SCALARS:
        return Leaf(name, expression, f"{_SCALARS[str(item)]}[]", keys)
    text = f"list_transform({expression}, lambda x: json_extract_string(x, '$'))"
    return Leaf(name, text, "VARCHAR[]", keys, item == "JSON")
