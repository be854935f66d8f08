"""The Python API: what `import dvtool` gives.

`open`, `local_path` and `read_table` take addresses (`dvt://REV@PATH`); `Repository` gives the
rest. Stable names are those of `__all__`.
"""

from dvtool.api.files import local_path, open
from dvtool.api.repository import DataSet, Diff, Repository
from dvtool.api.tables import read_table

__all__ = ["DataSet", "Diff", "Repository", "local_path", "open", "read_table"]
