#!/bin/bash
# Plants known bugs (bugs.py) into a copy of this checkout, one at a time, and looks which method catches each. Half an hour.
set -eu
cd "$(dirname "$0")/../.."
export PYTHONDONTWRITEBYTECODE=1
python=$PWD/.build/venv-faults/bin/python
[ -x "$python" ] || Tests/Faults/run.sh --short --only census
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/cogni"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work/cogni"
"$python" Tests/Faults/bugs.py --binaries "$work/binaries" --build "$work/cogni"
"$python" Tests/Faults/bugs.py --binaries "$work/binaries" "$@"
