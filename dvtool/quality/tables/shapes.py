"""What the text of one value looks like: a number, a date, a truth value.

Regular expressions shared by the sniffing of samples in Python and by the engine (RE2 syntax), so
that both mean the same. Deciding about whole columns is done in `kinding`; `sniffing` uses it too.
"""

from __future__ import annotations

import re

INT = r"[+-]?[0-9]+"
LEADING_ZERO = r"[+-]?0[0-9]+"
FLOAT = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
INFINITE = r"[+-]?(inf|Inf|INF|Infinity|infinity)"
DECIMAL_COMMA = r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?"
GROUPED = r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?"
POINTED_GROUP = r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}"
POINTED_GROUPS = r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3}){2,}"
"""Like `1.234` and `1.234.567`: thousands where a comma marks decimals."""
BOOL = r"true|false|True|False|TRUE|FALSE"
DATE = r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
CLOCK = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
ZONE = r"( ?UTC| ?Z| ?[+-][0-9]{2}(:?[0-9]{2})?)?"
DATETIME = DATE + "[T ]" + CLOCK + ZONE
NUMERIC_DATE = r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}"

_ANY_NUMBER = re.compile(f"(?:{FLOAT}|{DECIMAL_COMMA}|{GROUPED})", re.ASCII)
_VALUE = re.compile(
    f"(?:{FLOAT}|{DECIMAL_COMMA}|{GROUPED}|{DATETIME}|{DATE}|{CLOCK}|{NUMERIC_DATE}|{BOOL})",
    re.ASCII,
)


def is_value(text: str) -> bool:
    """Tells whether a text is a number, a date, a time or a truth value rather than words."""
    return _VALUE.fullmatch(text.strip()) is not None


def is_number(text: str) -> bool:
    """Tells whether a text is a number in any of the notations that are understood."""
    return _ANY_NUMBER.fullmatch(text.strip()) is not None
