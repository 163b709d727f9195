#!/bin/sh
# Runs cogni from end to end: real processes, real files, real sockets on loopback, nothing of the network.
#
#   BIN=.build/debug Tests/e2e/run.sh              all of it
#   BIN=.build/debug Tests/e2e/run.sh test_faults  one file, or `test_faults.Faults.test_name`
#
# The last line is `N passed, N failed, N skipped`. COGNI_E2E_SEED picks the moments of the kills.
set -eu
cd "$(dirname "$0")/../.."
bin=${BIN:-.build/debug}
for program in cogni cogni-simulator; do
    test -x "$bin/$program" || { echo "no $bin/$program: swift build --product $program" >&2; exit 2; }
done
BIN=$(cd "$bin" && pwd) PYTHONDONTWRITEBYTECODE=1 exec python3 Tests/e2e/main.py "$@"
