"""The option `--record`: verdict records of what a command judged, sent to a remote afterwards.

Called by `check` and `ci`. Nothing depends on a record: a remote that cannot be reached is told on
stderr by the error it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dvtool.cli.opening import open_workspace
from dvtool.cli.output import Output, count

if TYPE_CHECKING:
    from dvtool.ops.check import Wanted
    from dvtool.ops.record_travel import Recorder
    from dvtool.ops.workspace import Workspace


def recorder_of(wanted: Wanted) -> Recorder:
    """Returns what watches judging for records, and tells whoever watches already."""
    from dvtool.ops.record_travel import Recorder

    return Recorder(wanted.now, wanted.watch)


def send(
    recorder: Recorder, remote: str | None, output: Output, workspace: Workspace | None = None
) -> None:
    """Sends what was recorded and says how much was new; from the workspace around, if none is given."""
    from dvtool.ops.record_travel import send_records

    sent = send_records(workspace or open_workspace(quiet=True), remote, recorder.records)
    output.text(f"{count(len(recorder.records), 'verdict')} recorded, {sent} new at the remote")
    for name in recorder.without_version:
        output.text(f"  not recorded: {name} (no version of a data set, or only a part of it)")
