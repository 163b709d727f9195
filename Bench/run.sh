#!/bin/bash
# Measures cogni against the floor: the same bytes through `curl | zstd | sha256sum`, with no parsing at all.
#
#   Bench/run.sh [REPEATS]     7 by default; BENCH_SIZES="small big" chooses the data sets
#
# Both run in turn, pair by pair, against nginx on loopback. Only ratios mean something: this machine may be busy.
set -eu
cd "$(dirname "$0")/.."
repeats=${1:-7}
sizes=${BENCH_SIZES:-small}
for tool in nginx zstd curl python3 time; do
    type -P $tool >/dev/null || { echo "bench needs $tool: apt-get install nginx-light zstd curl python3 time"; exit 1; }
done
swift build -c release --explicit-target-dependency-import-check error --product cogni 2>&1 | tail -n 1
work=$(mktemp -d); trap 'kill $(cat "$work"/*.pid 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT
export OPENAI_ADMIN_KEY=sk-admin-bench-not-a-real-key COGNI_KEY_RING=$PWD/Fixtures/keys/example.keyring.json
chmod go-w Fixtures/keys/* 2>/dev/null || true

port=18811
for size in $sizes; do
    case $size in small) hours=168 rows=1500;; big) hours=720 rows=2000;; *) echo "no size $size"; exit 1;; esac
    data=.build/bench-$size
    [ -f "$data/facts" ] || { echo "making the $size pages …"; python3 Bench/make_pages.py "$data" $hours $rows > "$work/facts"; mv "$work/facts" "$data/facts"; }
    echo "$size: $(cat "$data/facts")"
    port=$((port + 1))
    cat > "$work/$size.conf" <<CONF
$([ "$(id -u)" = 0 ] && echo "user root;") worker_processes 1; daemon on; pid $work/$size.pid; error_log $work/error.log;
events { worker_connections 64; }
http { access_log off; default_type application/json; sendfile on;
  client_body_temp_path $work/b; proxy_temp_path $work/p; fastcgi_temp_path $work/f; uwsgi_temp_path $work/u; scgi_temp_path $work/s;
  map \$arg_page \$name { default \$arg_page; "" first; }
  server { listen 127.0.0.1:$port; root $PWD/$data; location = /v1/organization/usage/completions { try_files /\$name.json =404; } } }
CONF
    nginx -c "$work/$size.conf"
    until curl -s -o /dev/null "http://127.0.0.1:$port/v1/organization/usage/completions"; do :; done
    pages=$(ls "$data" | grep -c json)
    urls=("http://127.0.0.1:$port/v1/organization/usage/completions")
    for ((i = 1; i < pages; i++)); do urls+=("${urls[0]}?page=page_$i"); done
    until_day=$(date -u -d "@$((1760918400 + hours * 3600))" +%Y-%m-%d)
    pipeline() { # compression, format, encrypt?
        echo "pipeline: bench"
        echo "source: { connector: openai_admin, base_url: \"http://127.0.0.1:$port/v1\", credential: \"\${OPENAI_ADMIN_KEY}\" }"
        echo "streams: { usage_completions: { bucket_width: 1h, since: 2025-10-20, until: $until_day, group_by: [project_id, user_id, api_key_id, model, batch, service_tier] } }"
        echo "transform: [ { dedupe: { keep: latest } }, { sanitize: { secrets: mask } }$3 ]"
        echo "load: { compression: $1, format: $2 }"
    }
    sealed=', { encrypt: { fields: ["domain:user", "domain:api_key"], mode: deterministic, key_ring: "${COGNI_KEY_RING}" } }'
    pipeline zstd ndjson "$sealed" > "$work/zstd.yaml"; pipeline zstd ndjson "" > "$work/plain.yaml"
    pipeline gzip ndjson "$sealed" > "$work/gzip.yaml"; pipeline none ndjson "$sealed" > "$work/none.yaml"
    pipeline zstd csv "$sealed" > "$work/csv.yaml"
    for ((i = 0; i < repeats; i++)); do
        /usr/bin/env time -f "floor %e %U %S %M" -a -o "$work/times-$size" \
            bash -c 'curl -s "$@" | zstd -3 -q --single-thread -c | sha256sum >/dev/null' floor "${urls[@]}"
        for kind in zstd plain gzip none csv; do
            rm -rf "$work/out"
            /usr/bin/env time -f "$kind %e %U %S %M" -a -o "$work/times-$size" \
                .build/release/cogni run "$work/$kind.yaml" --now 2026-01-01 --output "$work/out" --progress none 2>/dev/null
        done
    done
    python3 Bench/table.py "$work/times-$size" "$data/facts"
done
