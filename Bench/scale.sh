#!/bin/bash
# make bench-scale: how cost grows with rows, partitions and requests. Arguments go to Bench/scale.py (--help lists them).
set -eu
cd "$(dirname "$0")/.."
. Bench/needs.sh
needs python3
swift build -c release --static-swift-stdlib --explicit-target-dependency-import-check error --product cogni 2>&1 | tail -n 1
case " $* " in *" --parts "*) ;; *) swift build --build-tests 2>&1 | tail -n 1;; esac # for the part `requests`
exec python3 Bench/scale.py "$@"
