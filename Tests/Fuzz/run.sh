#!/bin/bash
# The parsers against inputs that are looked for by their coverage (libFuzzer, which comes with the Swift compiler).
#
#   Tests/Fuzz/run.sh             tries the kept inputs, and the kernel against Python's json on made-up pages: for CI
#   Tests/Fuzz/run.sh fuzz        looks for new inputs, FUZZ_SECONDS (default 60) for each target: `make fuzz`
#
#   Tests/Fuzz/run.sh keep        packs the smallest 150 that were found for each target into Tests/Fuzz/corpus/TARGET.tar.gz
#
# Kept inputs are small and our own: Tests/Fuzz/corpus/TARGET, and beside it what a search found. What crashed comes to
# .build/fuzz/crash-*: mend it, then keep the input.
# The last line is `N passed, N failed`.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$PWD/.build/fuzz; mkdir -p "$work"
corpus=Tests/Fuzz/corpus; kernel=Sources/Native/CRecordScan; told=Sources/Native/CZstdRepeats
small="-DMAX_WORDS=512 -DMAX_WORD_BYTES=4096"
repeats="-I$told/include Tests/Fuzz/repeats_fuzz.c $told/zstd_repeats.c -lzstd"
passed=0; failed=0
clang=$(dirname "$(readlink -f "$(command -v swift)")")/clang; [ -x "$clang" ] || clang=clang
check() { # name, command…
    name=$1; shift
    if "$@" > "$work/log" 2>&1; then passed=$((passed + 1)); echo "ok      $name: $(tail -n 1 "$work/log")"
    else failed=$((failed + 1)); echo "FAILED  $name"; tail -n 30 "$work/log"; fi
}
compile() { # output, flags…: the kernel with its harness or alone
    out=$1; shift
    "$clang" -g -O1 -I$kernel/include -I$kernel $kernel/*.c "$@" -o "$out" 2>&1 | grep -v 'Cannot export local symbol'
    [ -x "$out" ]
}

kept() { # target: prints the folder with the inputs that earlier searches found
    mkdir -p "$work/kept-$1"
    [ ! -e $corpus/$1.tar.gz ] || tar -xzf $corpus/$1.tar.gz -C "$work/kept-$1"
    echo "$work/kept-$1"
}

if [ "${1:-}" = keep ]; then
    for target in scan pipeline connector token; do
        # libFuzzer names an input by its SHA-1; by size, then by name, so that one search always gives one file.
        (cd "$work/found-$target" && find . -type f -size -4k -printf '%s %f\n' | sort -n | head -n 150 | cut -d ' ' -f 2 | sort > "$work/names") || exit 1
        tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0644 -C "$work/found-$target" -cf - -T "$work/names" | gzip -n > $corpus/$target.tar.gz
        passed=$((passed + 1)); echo "$target: $(wc -l < "$work/names") inputs kept"
    done
elif [ "${1:-}" = fuzz ]; then
    seconds=${FUZZ_SECONDS:-60}
    rm -f "$work"/scan "$work"/repeats-fuzz "$work"/rows-fuzz "$work"/crash-*
    # shellcheck disable=SC2086
    compile "$work/rows-fuzz" -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $small Tests/Fuzz/rows_fuzz.c || exit 1
    compile "$work/scan" -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined Tests/Fuzz/scan_fuzz.c || exit 1
    compile "$work/repeats-fuzz" -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $repeats || exit 1
    # Only our own rooms and YAML are measured; everything is built anew, once, below .build/fuzz.
    swift build --scratch-path "$work/swift" --product cogni-fuzz -Xswiftc -sanitize=fuzzer -Xswiftc -DFUZZING \
        > "$work/build" 2>&1 || { tail -n 30 "$work/build"; exit 1; }
    limits="-max_total_time=$seconds -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=$work/crash-"
    for target in scan pipeline connector token; do
        mkdir -p "$work/found-$target"
        run=$work/scan; first=
        [ $target = scan ] || { run=$work/swift/debug/cogni-fuzz; first=$target; }
        # shellcheck disable=SC2086
        check "$target" "$run" $first $limits "$work/found-$target" $corpus/$target "$(kept $target)"
        grep -E 'cov: [0-9]+' "$work/log" | tail -n 1 | sed -E 's/^#([0-9]+).*cov: ([0-9]+) ft: ([0-9]+).*/          \1 inputs, \2 edges covered/'
    done
    mkdir -p "$work/found-repeats"
    # shellcheck disable=SC2086
    check repeats "$work/repeats-fuzz" $limits "$work/found-repeats"
    mkdir -p "$work/found-rows"
    # shellcheck disable=SC2086
    check rows "$work/rows-fuzz" $limits "$work/found-rows"
else
    rm -f "$work"/replay "$work"/repeats "$work"/rows "$work"/rows-small "$work"/rows-tails "$work"/kernel.so
    compile "$work/replay" -DREPLAY -fsanitize=address,undefined -fno-sanitize-recover=undefined Tests/Fuzz/scan_fuzz.c
    compile "$work/repeats" -DREPLAY -fsanitize=address,undefined -fno-sanitize-recover=undefined $repeats
    check "repeats are true of the lines they were found in" "$work/repeats" "$(date +%s)" 60
    compile "$work/rows" -DREPLAY -fsanitize=address,undefined -fno-sanitize-recover=undefined Tests/Fuzz/rows_fuzz.c
    # shellcheck disable=SC2086
    compile "$work/rows-small" -DREPLAY $small -fsanitize=address,undefined -fno-sanitize-recover=undefined Tests/Fuzz/rows_fuzz.c
    check "rows come out as they were spelled out by hand" "$work/rows" "$(date +%s)" 200
    check "they do so with few words" "$work/rows-small" "$(date +%s)" 200
    compile "$work/rows-tails" -DREPLAY -DTAILS_MOST=32 -fsanitize=address,undefined -fno-sanitize-recover=undefined Tests/Fuzz/rows_fuzz.c
    check "they do so where few ends of rows are known" "$work/rows-tails" "$(date +%s)" 200
    check "the page kernel takes its kept inputs" "$work/replay" $corpus/scan/* "$(kept scan)"/*
    for target in pipeline connector token; do
        check "the $target reader takes its kept inputs" "${BIN:-.build/debug}/cogni-fuzz" $target $corpus/$target/* "$(kept $target)"/*
    done
    compile "$work/kernel.so" -shared -fPIC -O2
    check "the kernel agrees with Python's json" python3 Tests/Fuzz/agree.py "$work/kernel.so" "${AGREE_PAGES:-20000}"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
