#!/bin/bash
# Reads outputs with other people's tools: sha256sum, gzip, zstd, bsdtar, Python, frictionless, DuckDB.
#
#   Tests/readers/run.sh OUTPUT...    the outputs given
#   Tests/readers/run.sh              samples in every format and compression, written by the Swift tests
#
# Python packages go to .build/venv-readers; without a network and without that folder, their checks are skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=.build/venv-readers
if [ ! -x $venv/bin/python ]; then
    python3 -m venv $venv
    $venv/bin/pip install --quiet 'frictionless[json]==5.21.0' 'dplib-py==1.1.0' jsonschema duckdb ||
        echo "Tests/readers: some packages could not be installed; their checks will be skipped" >&2
fi
if [ $# -eq 0 ]; then
    samples=$PWD/.build/reader-samples
    rm -rf "$samples"
    mkdir -p "$samples"
    COGNI_READER_SAMPLES=$samples swift test --filter ReaderSamples >"$samples/log" 2>&1 ||
        { cat "$samples/log" >&2; exit 1; }
    set -- "$samples"/*/demo
fi
exec $venv/bin/python Tests/readers/check_output.py "$@"
