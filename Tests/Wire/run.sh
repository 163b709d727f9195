#!/bin/sh
# Every behaviour that the API, its gateways and networks are known for, tried with the built programs over a socket.
#
#   BIN=.build/debug Tests/Wire/run.sh            all of it
#   BIN=.build/debug Tests/Wire/run.sh ^34 drip   tries whose numbers or words match
#
# The last line is `N passed, N failed`.
set -eu
cd "$(dirname "$0")/../.."
bin=${BIN:-.build/debug}
for program in cogni cogni-simulator; do
    test -x "$bin/$program" || { echo "no $bin/$program: swift build --product $program" >&2; exit 2; }
done
BIN=$(cd "$bin" && pwd) PYTHONDONTWRITEBYTECODE=1 exec python3 Tests/Wire/main.py "$@"
