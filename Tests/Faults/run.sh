#!/bin/bash
# The fault laboratory. --short: a seeded sample, for CI. Without it every call, image and size, and with --write the table in
# docs/reliability.md. Makes a virtual environment for the recording file system below .build.
set -u
cd "$(dirname "$0")/../.." || exit 1
export COGNI="${COGNI:-$PWD/.build/debug/cogni}"
export PYTHONDONTWRITEBYTECODE=1
venv=$PWD/.build/venv-faults
if [ ! -e "$venv/complete" ]; then
    python3 -m venv "$venv" && "$venv/bin/pip" install --quiet 'fusepy==3.0.1' && touch "$venv/complete"
fi
python=$venv/bin/python
[ -x "$python" ] || python=python3
case " $* " in
    *" --only "*) ;;
    *) "$python" Tests/Faults/promises.py || exit 1 ;;
esac
own=""
[ "$(id -u)" = 0 ] && own="unshare -m" # mounts stay in a room of their own
exec $own "$python" Tests/Faults/laboratory.py "$@"
