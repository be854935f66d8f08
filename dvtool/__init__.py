"""dvtool versions large data with git and refuses bad data at the gate."""

from __future__ import annotations

TYPE_CHECKING = False  # as in `typing`, which a short command would wait for
if TYPE_CHECKING:
    from typing import Any

    from dvtool.api import DataSet, Diff, Repository, local_path, open, read_table

__version__ = "0.1.0"
__all__ = ["DataSet", "Diff", "Repository", "__version__", "local_path", "open", "read_table"]


def __getattr__(name: str) -> Any:
    # The API imports git, store and more; `import dvtool` and the CLI do without until it is used.
    if name in __all__:
        from dvtool import api

        return getattr(api, name)
    raise AttributeError(f"module 'dvtool' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
