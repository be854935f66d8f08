"""Words and scopes: how a mapping of known keys becomes a spec, and a spec a mapping again.

Here is the machine; which words there are is `vocabulary`. An unknown key is always an error that
names the nearest known one. `parsing`, `writing`, the JSON Schema and the reference walk scopes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dvtool.errors import InvalidText
from dvtool.quality.checks.grammar import Grammar, Value, did_you_mean, expected
from dvtool.quality.checks.model import Spec, defaults_of
from dvtool.quality.checks.text import Node


@dataclass(frozen=True, slots=True)
class Word:
    """One key of the vocabulary.

    Args:
        key: As written in the file.
        grammar: Of its value.
        says: One sentence for the reference.
        example: The key and a value, as YAML in one line.
        code: Code of the finding when it is violated; empty when it judges nothing by itself.
        field: Attribute of the spec; empty when it is the key.
        required: Whether the scope makes no sense without it.
        checks: Whether a table with only this key has a check at all.
    """

    key: str
    grammar: Grammar
    says: str
    example: str
    code: str = ""
    field: str = ""
    required: bool = False
    checks: bool = False

    @property
    def attribute(self) -> str:
        """Name of the field of the spec that holds the value."""
        return self.field or self.key


@dataclass(frozen=True, slots=True)
class Scope:
    """A mapping with known keys.

    Args:
        name: As the reference calls it: `column`.
        spec: The class that it becomes.
        words: In the order in which they are documented and written.
        inspect: Refuses combinations of keys that make no sense; may raise InvalidText.
        together: The same, as far as JSON Schema can say it.
    """

    name: str
    spec: type[Spec]
    words: tuple[Word, ...]
    inspect: Callable[[Node, dict[str, Any]], None] = lambda node, values: None
    together: Mapping[str, Any] = field(default_factory=dict)

    def word(self, key: str) -> Word | None:
        """Returns the word of `key`, None when the scope has none."""
        return next((one for one in self.words if one.key == key), None)


def read_record(scope: Scope, node: Node, **fixed: Value) -> Value:
    """Returns the spec that a mapping describes; `null` is the empty mapping.

    Args:
        fixed: Fields that stand outside the mapping, such as a column's name.

    Raises:
        InvalidText: Unknown key, missing key, or a value that breaks its grammar; names the line.
    """
    if node.kind != "mapping" and not (node.kind == "scalar" and node.value is None):
        raise expected(node, f"the keys of a {scope.name}")
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in node.pairs:
        word = scope.word(key.written)
        if word is None:
            known = [one.key for one in scope.words]
            hint = did_you_mean(key.written, known)
            raise key.refuse(f"unknown key {key.written[:60]} of a {scope.name}", hint=hint)
        values[word.attribute] = _read(word, value)
        lines[word.key] = key.line
    for word in scope.words:
        if word.required and word.attribute not in values:
            raise node.refuse(f"a {scope.name} needs {word.key}", hint=word.example)
    scope.inspect(node, values)
    try:
        return scope.spec(**fixed, **values, line=node.line, lines=lines)
    except InvalidText as error:
        raise node.refuse(error.message, hint=error.hint) from None


def _read(word: Word, value: Node) -> Value:
    try:
        return word.grammar.read(value)
    except InvalidText as error:
        if word.grammar.record:
            raise
        raise InvalidText(
            f"{word.key}: {error.message}", line=error.line, hint=error.hint
        ) from None


def write_record(scope: Scope, spec: Spec) -> dict[str, Any]:
    """Returns the mapping that `read_record` turns into `spec`; defaults are left out."""
    defaults = defaults_of(scope.spec)
    return {
        word.key: word.grammar.write(getattr(spec, word.attribute))
        for word in scope.words
        if word.attribute not in defaults
        or getattr(spec, word.attribute) != defaults[word.attribute]
    }


def schema_of(scope: Scope) -> dict[str, Any]:
    """Returns the JSON Schema of a scope."""
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            word.key: {"description": word.says, **word.grammar.schema} for word in scope.words
        },
    }
    if required := [word.key for word in scope.words if word.required]:
        schema["required"] = required
    return {**schema, **scope.together}


def record(scope: Scope) -> Grammar:
    """Returns the grammar of a mapping with the keys of `scope`."""
    return Grammar(
        f"the keys of a {scope.name}",
        schema_of(scope),
        lambda node: read_record(scope, node),
        lambda spec: write_record(scope, spec),
        record=scope.name,
    )


def records(scope: Scope) -> Grammar:
    """Returns the grammar of a list of such mappings."""

    def read(node: Node) -> tuple[Any, ...]:
        if not node.items:
            raise expected(node, f"a list, each entry the keys of a {scope.name},")
        return tuple(read_record(scope, one) for one in node.items)

    return Grammar(
        f"a list; each entry has the keys of a {scope.name}",
        {"type": "array", "items": schema_of(scope), "minItems": 1},
        read,
        lambda specs: [write_record(scope, spec) for spec in specs],
        record=scope.name,
    )


def named(scope: Scope, field: str) -> Grammar:
    """Returns the grammar of a mapping from a free name, kept in `field`, to such mappings."""

    def read(node: Node) -> tuple[Any, ...]:
        if not node.pairs:
            raise expected(node, f"names, each with the keys of a {scope.name},")
        return tuple(read_record(scope, inner, **{field: key.written}) for key, inner in node.pairs)

    def write(specs: Iterable[Any]) -> dict[str, Any]:
        return {getattr(spec, field): write_record(scope, spec) for spec in specs}

    inner = schema_of(scope)
    return Grammar(
        f"names, each with the keys of a {scope.name}",
        {
            "type": "object",
            "additionalProperties": {**inner, "type": ["object", "null"]},
            "minProperties": 1,
        },
        read,
        write,
        record=scope.name,
    )


def unless_false(grammar: Grammar, off: Value) -> Grammar:
    """Returns `grammar` that also takes `false`, which is read as `off`."""
    return Grammar(
        f"`false`, or {grammar.says}",
        {"anyOf": [{"const": False}, grammar.schema]},
        lambda node: off if node.value is False else grammar.read(node),
        lambda value: False if value == off else grammar.write(value),
        record=grammar.record,
    )


def unless_true(grammar: Grammar, default: Value) -> Grammar:
    """Returns `grammar` that also takes `true`, which is read as `default`."""
    return Grammar(
        f"`true`, {grammar.says}",
        {"anyOf": [{"const": True}, grammar.schema]},
        lambda node: default if node.value is True else grammar.read(node),
        lambda value: True if value == default else grammar.write(value),
        record=grammar.record,
    )
