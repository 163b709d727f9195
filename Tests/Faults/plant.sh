#!/bin/bash
# Plants known bugs (bugs.py) into a copy of this checkout. FAULTS_TREE and FAULTS_BUILD name another copy and the command that
# builds in it; without them a copy is made in a temporary folder and removed afterwards.
set -u
cd "$(dirname "$0")/../.." || exit 1
export PYTHONDONTWRITEBYTECODE=1
python=$PWD/.build/venv-faults/bin/python
[ -x "$python" ] || Tests/Faults/run.sh --short --only census || exit 1
tree=${FAULTS_TREE:-}
if [ -z "$tree" ]; then
    tree=$(mktemp -d)/cogni
    trap 'rm -rf "$(dirname "$tree")"' EXIT
    git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$(mkdir -p "$tree" && echo "$tree")"
fi
build=${FAULTS_BUILD:-swift build --product cogni}
# shellcheck disable=SC2086
"$python" Tests/Faults/bugs.py "$tree" $build "$@"
