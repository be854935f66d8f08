"""Loads a pandera schema by reference: a name in a Python file, or a pandera YAML file.

Python is code of the repository and runs as such, never without being asked. YAML is linted first,
because pandera accepts keys that it does not know without a word. What a schema says of a table is
`schema_reference`, the caller.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvtool.errors import InvalidText
from dvtool.quality.checks.grammar import did_you_mean
from dvtool.quality.checks.text import Node, parse_tree

if TYPE_CHECKING:
    import pandera.pandas as pa

_TABLE_KEYS = [
    "schema_type",
    "version",
    "api",
    "columns",
    "checks",
    "index",
    "multiindex",
    "dtype",
    "coerce",
    "strict",
    "name",
    "ordered",
    "unique",
    "report_duplicates",
    "unique_column_names",
    "add_missing_columns",
    "title",
    "description",
    "drop_invalid_rows",
    "dataframe_library",
]
_COLUMN_KEYS = [
    "title",
    "description",
    "dtype",
    "nullable",
    "checks",
    "name",
    "unique",
    "coerce",
    "required",
    "regex",
    "default",
    "report_duplicates",
    "drop_invalid_rows",
]
_TABLE_BOOLEANS = ("coerce", "ordered", "unique_column_names", "add_missing_columns")
_COLUMN_BOOLEANS = ("nullable", "unique", "coerce", "required", "regex")


def is_python(reference: str) -> bool:
    """Tells whether loading a reference runs Python code."""
    return not reference.endswith((".yaml", ".yml"))


def load_schema(root: Path, reference: str) -> pa.DataFrameSchema:
    """Returns the schema that `schema:` refers to.

    Args:
        root: Folder that the reference is relative to; nothing outside it is loaded.
        reference: `schemas.py:Train`, or `schema.yaml`.

    Raises:
        InvalidText: The file is not there, leads outside, or a YAML file does not mean to
            pandera what it says; names file and line.
        Exception: Whatever the code of the repository raises.
    """
    if not is_python(reference):
        path = inside(root, reference)
        return load_yaml(path.read_text("utf-8"), source=reference)
    file, _, name = reference.rpartition(":")
    if not file or not name:
        raise InvalidText(
            f"{reference} names no schema", hint="schemas.py:Name, or a pandera YAML file"
        )
    path = inside(root, file)
    with _importing(path.parent, root.resolve()):
        module = _execute(path)
        found = getattr(module, name, None)
        if found is None:
            known = [one for one, value in vars(module).items() if _is_schema(value)]
            raise InvalidText(
                f"no schema named {name}", source=file, hint=did_you_mean(name, known)
            )
        return _as_schema(found, reference)


def inside(root: Path, relative: str) -> Path:
    """Returns a file below `root`.

    Raises:
        InvalidText: It is not there, or lies outside.
    """
    path = (root / relative).resolve()
    if not path.is_relative_to(root.resolve()):
        raise InvalidText(f"{relative} leads outside the repository")
    if not path.is_file():
        raise InvalidText(f"{relative} is not there", hint=f"looked up from {root.resolve()}")
    return path


def local_sources(root: Path, reference: str) -> tuple[Path, ...]:
    """Returns the files that decide what a reference means: itself, and its imports below `root`.

    Found by reading, not by running. The first is the file itself; sorted after it.
    """
    file = reference.rpartition(":")[0] if is_python(reference) else reference
    first = inside(root, file)
    found, queue = {first}, [first] if first.suffix == ".py" else []
    while queue:
        path = queue.pop()
        for name in _imported(path):
            near = _file_of(path.parent, name) or _file_of(root.resolve(), name)
            if near is not None and near not in found:
                found.add(near)
                queue.append(near)
    return (first, *sorted(found - {first}))


def load_yaml(text: str, *, source: str) -> pa.DataFrameSchema:
    """Returns the schema of a pandera YAML file, after proving that pandera reads all of it.

    Raises:
        InvalidText: A key that pandera would pass over, or a check that it does not keep.
    """
    from pandera.io import pandas_io

    try:
        root = parse_tree(text)
        _lint(root)
    except InvalidText as error:
        raise error.located(source) from None
    try:
        schema: pa.DataFrameSchema = pandas_io.from_yaml(text)  # type: ignore[no-untyped-call]
        return schema
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InvalidText(f"pandera cannot read it: {first[:160]}", source=source) from error


def _lint(root: Node) -> None:
    _known(root, _TABLE_KEYS, "schema", _TABLE_BOOLEANS)
    keys = {key.written: value for key, value in root.pairs}
    if "columns" not in keys or not keys["columns"].pairs:
        raise root.refuse("a pandera schema needs columns")
    for _, column in keys["columns"].pairs:
        if column.kind == "mapping":
            _known(column, [*_COLUMN_KEYS, *_check_names()], "column", _COLUMN_BOOLEANS)
            _lint_checks(column)
        elif column.value is not None:
            raise column.refuse("expected the keys of a column")
    _lint_checks(root)


def _lint_checks(owner: Node) -> None:
    for key, value in owner.pairs:
        if key.written != "checks" or value.value is None:
            continue
        for name, _ in value.pairs:
            if name.written not in _check_names():
                hint = did_you_mean(name.written, _check_names())
                raise name.refuse(f"unknown check {name.written[:60]}", hint=hint)
        for one in value.items:
            options = {name.written: inner for name, inner in one.pairs}.get("options")
            named = {name.written: inner for name, inner in options.pairs} if options else {}
            for option in options.pairs if options else ():
                if option[0].written not in _OPTIONS:
                    hint = did_you_mean(option[0].written, _OPTIONS)
                    raise option[0].refuse("unknown option of a check", hint=hint)
            check = named.get("check_name")
            if check is None or check.written not in _check_names():
                raise one.refuse("a check that pandera does not name cannot be kept in YAML")


def _known(node: Node, known: list[str], what: str, booleans: tuple[str, ...]) -> None:
    if node.kind != "mapping":
        raise node.refuse(f"expected the keys of a {what}")
    for key, value in node.pairs:
        if key.written not in known:
            hint = did_you_mean(key.written, known)
            raise key.refuse(f"unknown key {key.written[:60]} of a pandera {what}", hint=hint)
        if (
            key.written in booleans
            and value.value is not None
            and not isinstance(value.value, bool)
        ):
            raise value.refuse(f"{key.written} is true or false, found {value.written[:40]!r}")


def _check_names() -> list[str]:
    import pandera.pandas as pa

    return sorted(name for name in pa.Check.REGISTERED_CUSTOM_CHECKS) + sorted(_BUILTIN)


_OPTIONS = [
    "check_name",
    "ignore_na",
    "raise_warning",
    "n_failure_cases",
    "groupby",
    "groups",
    "error",
    "name",
]
ROW_BY_ROW = (
    "equal_to",
    "not_equal_to",
    "greater_than",
    "greater_than_or_equal_to",
    "less_than",
    "less_than_or_equal_to",
    "in_range",
    "isin",
    "notin",
    "str_matches",
    "str_contains",
    "str_startswith",
    "str_endswith",
    "str_length",
)
"""pandera's own checks whose answer for a row depends on that row alone."""
_BUILTIN = [
    *ROW_BY_ROW,
    "unique_values_eq",
    "eq",
    "ne",
    "gt",
    "ge",
    "lt",
    "le",
]


def _as_schema(found: object, reference: str) -> pa.DataFrameSchema:
    import pandera.pandas as pa

    if isinstance(found, pa.DataFrameSchema):
        return found
    if isinstance(found, type) and issubclass(found, pa.DataFrameModel):
        schema: pa.DataFrameSchema = found.to_schema()
        return schema
    raise InvalidText(f"{reference} is no DataFrameSchema or DataFrameModel of pandera.pandas")


def _is_schema(found: object) -> bool:
    import pandera.pandas as pa

    is_model = isinstance(found, type) and issubclass(found, pa.DataFrameModel)
    return isinstance(found, pa.DataFrameSchema) or (is_model and found is not pa.DataFrameModel)


def _execute(path: Path) -> Any:  # noqa: ANN401 a module's names are anything
    mark = hashlib.sha256(str(path).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    name = f"_dvtool_schema_{mark}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # DataFrameModel looks its annotations up there
    spec.loader.exec_module(module)
    return module


@contextmanager
def _importing(folder: Path, root: Path) -> Iterator[None]:
    """Lets code import its neighbours, and forgets afterwards what it imported from there."""
    path, modules, quiet = list(sys.path), dict(sys.modules), sys.dont_write_bytecode
    sys.path[:0] = [str(folder), str(root)]
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path[:] = path
        sys.dont_write_bytecode = quiet
        for name in set(sys.modules) - set(modules):
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).resolve().is_relative_to(root):
                del sys.modules[name]


def _imported(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = node.module or ""
            if stem:
                yield stem
            yield from (f"{stem}.{one.name}".lstrip(".") for one in node.names)


def _file_of(folder: Path, module: str) -> Path | None:
    stem = folder.joinpath(*module.split("."))
    for path in (stem.with_name(stem.name + ".py"), stem / "__init__.py"):
        if path.is_file():
            return path.resolve()
    return None
