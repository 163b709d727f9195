#!/bin/sh
# Walks the simulator with the official openai package and throws faults at it.
# Usage: Tests/simulator/run.sh [PATH-TO-cogni-simulator]
set -eu
cd "$(dirname "$0")/../.."
binary=${1:-.build/debug/cogni-simulator}
venv=.build/venv-simulator
test -x "$binary" || { echo "no simulator at $binary: swift build --product cogni-simulator" >&2; exit 2; }
if ! "$venv/bin/python" -c 'import openai, sys; sys.exit(openai.__version__ != "3.54.0")' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet openai==3.54.0
fi
"$venv/bin/python" Tests/simulator/walk_openai_sdk.py "$binary"
"$venv/bin/python" Tests/simulator/meet_faults.py "$binary"
