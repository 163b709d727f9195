#!/bin/bash
# The parsers against inputs that are looked for by their coverage (libFuzzer, which comes with the Swift compiler).
#
#   Tests/Fuzz/run.sh             tries the kept inputs, and the kernel against Python's json on made-up pages: for CI
#   Tests/Fuzz/run.sh fuzz        looks for new inputs, FUZZ_SECONDS (default 60) for each target: `make fuzz`
#
# Kept inputs are small and our own: Tests/Fuzz/corpus/TARGET. What crashed comes to .build/fuzz/crash-*: mend it, then keep the input.
# The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$PWD/.build/fuzz; mkdir -p "$work"
corpus=Tests/Fuzz/corpus; kernel=Sources/Native/CRecordScan
passed=0; failed=0
clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang; [ -x "$clang" ] || clang=clang
check() { # name, command…
    name=$1; shift
    if "$@" > "$work/log" 2>&1; then passed=$((passed + 1)); echo "ok      $name: $(tail -n 1 "$work/log")"
    else failed=$((failed + 1)); echo "FAILED  $name"; tail -n 30 "$work/log"; fi
}
compile() { # output, flags…: the kernel with its harness or alone
    out=$1; shift
    "$clang" -g -O1 -I$kernel/include -I$kernel "$@" $kernel/*.c -o "$out" 2>&1 | grep -v 'Cannot export local symbol'
    [ -x "$out" ]
}

if [ "${1:-}" = fuzz ]; then
    seconds=${FUZZ_SECONDS:-60}
    rm -f "$work"/scan "$work"/crash-*
    compile "$work/scan" -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined Tests/Fuzz/scan_fuzz.c || exit 1
    # Only our own rooms and YAML are measured; everything is built anew, once, below .build/fuzz.
    swift build --scratch-path "$work/swift" --product cogni-fuzz -Xswiftc -sanitize=fuzzer -Xswiftc -DFUZZING \
        > "$work/build" 2>&1 || { tail -n 30 "$work/build"; exit 1; }
    limits="-max_total_time=$seconds -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=$work/crash-"
    for target in scan pipeline connector token; do
        mkdir -p "$work/found-$target"
        run=$work/scan; first=
        [ $target = scan ] || { run=$work/swift/debug/cogni-fuzz; first=$target; }
        # shellcheck disable=SC2086
        check "$target" "$run" $first $limits "$work/found-$target" $corpus/$target
        grep -E 'cov: [0-9]+' "$work/log" | tail -n 1 | sed -E 's/^#([0-9]+).*cov: ([0-9]+) ft: ([0-9]+).*/          \1 inputs, \2 edges covered/'
    done
else
    rm -f "$work"/replay "$work"/kernel.so
    compile "$work/replay" -DREPLAY -fsanitize=address,undefined -fno-sanitize-recover=undefined Tests/Fuzz/scan_fuzz.c
    check "the page kernel takes its kept inputs" "$work/replay" $corpus/scan/*
    for target in pipeline connector token; do
        check "the $target reader takes its kept inputs" "${BIN:-.build/debug}/cogni-fuzz" $target $corpus/$target/*
    done
    compile "$work/kernel.so" -shared -fPIC -O2
    check "the kernel agrees with Python's json" python3 Tests/Fuzz/agree.py "$work/kernel.so" "${AGREE_PAGES:-20000}"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
