"""What editors are told of values beyond their types: pieces of JSON Schema, as narrow as can be.

Each accepts at least what the parser accepts, so that no editor marks what is right; a test compares
the two over many values. What no schema can say (which of two ends is larger, what RE2 or the engine
make of a text) is left to the parser. `grammar` and `vocabulary` take them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

Schema = Mapping[str, Any]

_PLAIN: Final = r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
_WITH_EXPONENT: Final = r"(?:\d+(?:\.\d+)?|\.\d+)[eE][-+]?\d+"
_ZERO: Final = r"-0*(?:\.0+)?(?:[eE][-+]?\d+)?"
_AT_MOST_100: Final = rf"(?:0*(?:100(?:\.0+)?|\d{{1,2}}(?:\.\d+)?|\.\d+)|{_WITH_EXPONENT})"
_WHOLE: Final = rf"(?:\d+(?:\.0+)?|{_WITH_EXPONENT})"

SOME_DIFFERENT: Final[Schema] = {"minItems": 1, "uniqueItems": True}
SOME_TEXT: Final[Schema] = {"type": "string", "pattern": r"\S"}
_AT_MOST_1: Final = rf"(?:0*(?:1(?:\.0+)?|0(?:\.\d+)?|\.\d+)|{_WITH_EXPONENT})"
SHARE: Final[Schema] = {
    "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        {
            "type": "string",
            "pattern": rf"^\s*(?:\+?(?:{_AT_MOST_1}|{_AT_MOST_100}%)|{_ZERO}%?)\s*$",
        },
    ]
}
LARGEST_BUDGET: Final = 0.2
"""A gate that may alarm on more good versions than this is no gate."""
_A_FIFTH: Final = (
    rf"(?:0*\.(?:20*|[01]\d*)|0*(?:20(?:\.0+)?|1?\d(?:\.\d+)?|\.\d+)%|{_WITH_EXPONENT}%?)"
)
BUDGET: Final[Schema] = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_BUDGET},
        {"type": "string", "pattern": rf"^\s*\+?(?=[\d.]*[1-9]){_A_FIFTH}\s*$"},
    ]
}
DAY: Final = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
MOMENT: Final = (
    rf"{DAY}(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{{1,6}})?)?(?:Z|[+-]\d\d:\d\d)?)?"
)
LIMIT: Final[Schema] = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": rf"^{MOMENT}$"}]
}
DURATION: Final[Schema] = {"type": "string", "pattern": r"^(?=\d*[1-9])\d{1,9}\s*[wdhms]$"}
REGEX: Final[Schema] = {
    "type": "string",
    "pattern": r"\S",
    "maxLength": 1000,
    "not": {"pattern": r"\(\?(?:[=!]|<[=!])"},
}
PROBABILITY: Final = rf"^\s*\+?(?=[\d.]*[1-9])(?:0*\.\d+(?:[eE][-+]?\d+)?|{_WITH_EXPONENT})\s*$"
"""Of a key: more than 0 and less than 1 has a dot or an exponent."""


def bound(*, plain: str, percent: str, least: float) -> dict[str, Any]:
    """Returns the schema of a bound; arguments as for `grammar.bound`."""
    ends = []
    if percent != "must":
        ends.append(_signed(_WHOLE if percent == "may" else _PLAIN, least))
    if percent:
        ends.append(_signed(_AT_MOST_100 if least == 0 else _PLAIN, least) + "%")
    spelt = [rf"{one}\s*\.\.\s*{one}" for one in ends]
    spelt += [rf"(?:<=|>=|<|>)\s*{one}" for one in ends]
    spelt += ends if plain else []
    number: dict[str, Any] = {"type": "integer" if percent == "may" else "number"}
    if least > -math.inf:
        number["minimum"] = least
    takes: list[Schema] = [{"type": "string", "pattern": _whole(spelt)}]
    takes += [number] if plain and percent != "must" else []
    takes += [
        _pair([{"type": "string", "pattern": _whole([one])}, *([] if "%" in one else [number])])
        for one in ends
    ]
    return {"anyOf": takes}


def _signed(digits: str, least: float) -> str:
    return rf"(?:\+?{digits}|{_ZERO})" if least >= 0 else rf"[-+]?{digits}"


def _whole(spelt: Sequence[str]) -> str:
    return rf"^\s*(?:{'|'.join(spelt)})\s*$"


def _pair(end: Sequence[Schema]) -> dict[str, Any]:
    return {"type": "array", "items": {"anyOf": list(end)}, "minItems": 2, "maxItems": 2}


def any_of(*keys: Sequence[str]) -> dict[str, Any]:
    """Returns the schema of a mapping that has all of some keys, for one choice of them."""
    return {"anyOf": [{"required": list(some)} for some in keys]}


def not_both(one: str, other: str) -> dict[str, Any]:
    """Returns the schema of a mapping in which not both keys are true."""
    both = {key: {"const": True} for key in (one, other)}
    return {"not": {"type": "object", "required": [one, other], "properties": both}}


def not_with(key: str, value: object, others: Sequence[str]) -> dict[str, Any]:
    """Returns the schema of a mapping that has none of some keys if one has a value."""
    none = {"not": any_of(*([other] for other in others))}
    has = {"type": "object", "required": [key], "properties": {key: {"const": value}}}
    return {"if": has, "then": none}
