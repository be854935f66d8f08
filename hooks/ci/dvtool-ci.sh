#!/bin/sh
# Judges the change that is checked out, on any service. See docs/howto/any-ci.md.
#
#   dvtool-ci.sh [arguments of dvtool ci]
#
# DVTOOL_BASE     what the change is relative to; by default what the service says
# DVTOOL_INSTALL  what pip installs where there is no dvtool; dvtool
# DVTOOL_VENV     where to install it, for services that keep folders; a new one each time
set -eu
if ! command -v dvtool >/dev/null 2>&1; then
    venv=${DVTOOL_VENV:-$(mktemp -d)}
    [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet "${DVTOOL_INSTALL:-dvtool}"
    PATH="$venv/bin:$PATH"
fi
if [ -n "${DVTOOL_BASE:-}" ]; then
    set -- --base "$DVTOOL_BASE" "$@"
fi
exec dvtool ci "$@"
