#!/bin/bash
# Every test of the project, from a built or unbuilt checkout. Each part prints "N passed, N failed"; the last line
# adds them up. Builds once.
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0; failed=0; parts=""
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

note() { # name, exit code, passed, failed
    passed=$((passed + $3)); failed=$((failed + $4))
    if [ "$2" != 0 ] && [ "$4" = 0 ]; then failed=$((failed + 1)); fi
    parts="$parts  $1: $3 passed, $4 failed$([ "$2" = 0 ] || echo " (exit $2)")\n"
}
counted() { # name, command…: a part that prints one or more lines "N passed, N failed"
    name=$1; shift
    echo "== $name"
    "$@" 2>&1 | tee "$log/$name"; code=${PIPESTATUS[0]}
    sum "$name" "$code"
}
sum() { # name, exit code
    grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/$1" > "$log/lines"
    good=$(awk '{ n += $1 } END { print n + 0 }' "$log/lines"); bad=$(awk '{ n += $3 } END { print n + 0 }' "$log/lines")
    # A part that counted nothing has tried nothing.
    [ $((good + bad)) -gt 0 ] || bad=1
    note "$1" "$2" "$good" "$bad"
}

echo "== build"
swift build --explicit-target-dependency-import-check error --build-tests 2>&1 | tee "$log/build" | grep -E 'error:|warning: unre|Compiling|Build complete' | tail -n 5
[ "${PIPESTATUS[0]}" = 0 ] || { grep -E 'error' "$log/build" | head -n 20; echo "0 passed, 1 failed"; exit 1; }

# Beside the unit tests: most of its time goes into waiting for processes.
echo "== faults (in the background)"
Tests/Faults/run.sh --short > "$log/faults" 2>&1 & laboratory=$!

echo "== unit"
swift test --skip-build > "$log/unit" 2>&1; code=$?
grep -E '^✘|^Fatal|xctest.*error' "$log/unit" | head -n 40
line=$(grep -E 'Test run with [0-9]+ tests' "$log/unit" | tail -n 1)
echo "$line"
total=$(echo "$line" | grep -oE 'with [0-9]+ test' | grep -oE '[0-9]+'); total=${total:-0}
broken=$(grep -E '^✘ Test .* failed after ' "$log/unit" | grep -cv '^✘ Test run with ')
if [ "$total" = 0 ]; then tail -n 20 "$log/unit"; total=1; broken=1; fi
note unit "$code" "$((total - broken))" "$broken"

# Other people's readers: kept between runs. Without a network their checks say that they were skipped.
venv=$PWD/.build/venv-readers
# The mark bears the list's number: a longer list makes it anew.
if [ ! -e "$venv/complete-2" ]; then
    python3 -m venv "$venv" &&
        "$venv/bin/pip" install --quiet 'frictionless[json]==5.21.0' 'dplib-py==1.1.0' jsonschema duckdb \
            'standardwebhooks==1.1.0' 'openlineage-python==1.54.0' 'kubernetes-validate==1.37.0' &&
        touch "$venv/complete-2"
fi
export PATH="$venv/bin:$PATH"

export COGNI_BIN="$PWD/.build/debug" BIN="$PWD/.build/debug"
counted simulator Tests/simulator/run.sh .build/debug/cogni-simulator
counted fuzz Tests/Fuzz/run.sh
wait $laboratory; code=$?
cat "$log/faults"; sum faults $code
counted cost env BIN=.build/debug python3 Tests/cost/test_cost.py
counted wire Tests/Wire/run.sh
counted e2e Tests/e2e/run.sh

echo
printf "%b" "$parts"
echo "  took $SECONDS s"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
