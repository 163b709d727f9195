#!/bin/bash
# make bench: builds cogni for release and measures it. Arguments go to Bench/bench.py (--help lists them).
#
# About eight minutes for both data sets. Needs nginx, curl and zstd; dlt and DuckDB join where PyPI can be reached (BENCH_PEERS=no leaves them out).
set -eu
cd "$(dirname "$0")/.."
. Bench/needs.sh
needs nginx zstd curl python3
swift build -c release --static-swift-stdlib --explicit-target-dependency-import-check error --product cogni 2>&1 | tail -n 1
venv=.build/venv-bench
if [ "${BENCH_PEERS:-yes}" != no ] && [ ! -e $venv/complete ]; then
    echo "installing dlt and DuckDB …"
    { python3 -m venv $venv && $venv/bin/pip install --quiet 'dlt[filesystem]==1.31.0' 'duckdb==2.0.1' && touch $venv/complete; } ||
        echo "dlt and DuckDB could not be installed: they are left out"
fi
exec python3 Bench/bench.py "$@"
