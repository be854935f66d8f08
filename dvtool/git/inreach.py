"""Credentials that whoever runs in this clone can reach through git's configuration.

A CI service leaves a token there so that jobs can fetch; code of a pull request could send it
elsewhere. Only names of settings are told, never a value. Called by the CLI, for `ci`.
"""

from __future__ import annotations

import os
import re

from dvtool.git.plumbing import Git

_KEYS = r"^(http\..*\.extraheader|http\.extraheader|credential\..*|remote\..*\.(push)?url)$"
_USERINFO = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]*@", re.IGNORECASE)


def credentials_in_config(git: Git) -> list[str]:
    """Returns the keys of settings that hold credentials, or lead to some; one process."""
    listed = os.fsdecode(git.run("config", "-z", "--get-regexp", _KEYS, ok=(0, 1)))
    found: dict[str, None] = {}
    for item in listed.split("\0")[:-1]:
        key, _, value = item.partition("\n")
        if not key.startswith("remote.") or _USERINFO.match(value):
            found[f"git config {_USERINFO.sub('', key)}"] = None
    return list(found)
