"""What is measured: the floor, `cogni` in each combination, and others doing the same job."""
import itertools
import os
import shutil
import sys
from dataclasses import dataclass, field

import serving

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
GROUPS = "[project_id, user_id, api_key_id, model, batch, service_tier]"
SEALED = ', { encrypt: { fields: ["domain:user", "domain:api_key"], mode: deterministic, key_ring: "${COGNI_KEY_RING}" } }'
ENVIRONMENT = {"OPENAI_ADMIN_KEY": "sk-admin-bench-not-a-real-key",
               "COGNI_KEY_RING": ROOT + "/Fixtures/keys/example.keyring.json"}

# What a machine without AVX-512 (or without AVX2 either) would offer, as the program, OpenSSL and glibc see it.
# OPENSSL_ia32cap: the second word masks leaf 7 of CPUID: bits 16, 17, 21, 28, 30, 31 are AVX-512, bit 5 AVX2, bit 29 SHA.
NO_AVX512 = ("AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD")
MASKS = {
    "avx2": {"COGNI_ISA": "avx2", "OPENSSL_ia32cap": ":~0xd0230000", "GLIBC_TUNABLES": f"glibc.cpu.hwcaps=-{NO_AVX512}"},
    "baseline": {"COGNI_ISA": "baseline", "OPENSSL_ia32cap": "~0x1000000000000000:~0xf0230020",
                 "GLIBC_TUNABLES": f"glibc.cpu.hwcaps=-{NO_AVX512},-AVX2,-AVX,-ERMS,-BMI2"},
}


@dataclass
class Job:
    name: str
    title: str
    command: list
    environment: dict = field(default_factory=dict)
    output: str | None = None


HEADLINE = "zstd-ndjson-sealed"


def combinations():
    """Names of every combination, the headline first."""
    names = [f"{compression}-{form}-{sealing}" for compression, form, sealing in
             itertools.product(("zstd", "gzip", "none"), ("ndjson", "csv"), ("sealed", "plain"))]
    return sorted(names, key=lambda name: name != HEADLINE)


def floor(base, page_count):
    """The same bytes fetched, compressed and hashed, with no parsing at all: what no full job can beat by much."""
    first = base.removesuffix("/v1") + serving.PATH
    urls = [first] + [f"{first}?page=page_{number}" for number in range(1, page_count)]
    script = 'curl -s "$@" | zstd -3 -q --single-thread -c | sha256sum'
    return Job("floor", "curl, zstd -3, sha256sum", ["bash", "-c", script, "floor", *urls])


def pipeline(work, name, base, until, since="2025-10-20"):
    """Writes the pipeline file of one combination; returns its path."""
    compression, form, sealing = name.split("-")
    path = f"{work}/{name}.yaml"
    with open(path, "w") as file:
        file.write(f"""pipeline: bench
source: {{ connector: openai_admin, base_url: "{base}", credential: "${{OPENAI_ADMIN_KEY}}", requests_per_minute: 100000 }}
streams: {{ usage_completions: {{ bucket_width: 1h, since: {since}, until: {until}, group_by: {GROUPS} }} }}
transform: [ {{ dedupe: {{ keep: latest }} }}, {{ sanitize: {{ secrets: mask }} }}{SEALED if sealing == "sealed" else ""} ]
load: {{ compression: {compression}, format: {form} }}
""")
    return path


def cogni(binary, work, name, base, until, mask=None):
    output = f"{work}/out"
    compression, form, sealing = name.split("-")
    title = f"{compression} {form.upper()}, " + ("2 fields sealed" if sealing == "sealed" else "nothing sealed")
    label = name if mask is None else f"{name}@{mask}"
    return Job(label, title if mask is None else f"{title}, masked to {mask}",
               [binary, "run", pipeline(work, name, base, until), "--now", "2026-01-01", "--output", output, "--progress", "none"],
               {**ENVIRONMENT, **(MASKS[mask] if mask else {})}, output)


def peers(work, base):
    """dlt and DuckDB, where they could be installed."""
    python = ROOT + "/.build/venv-bench/bin/python"
    if not os.path.exists(ROOT + "/.build/venv-bench/complete"):
        return []
    return [Job(name, title, [python, f"{HERE}/peer_{name}.py", base, f"{work}/{name}"], output=f"{work}/{name}")
            for name, title in (("duckdb", "DuckDB, by hand"), ("dlt", "dlt"))]


def clear(job):
    if job.output:
        shutil.rmtree(job.output, ignore_errors=True)


def rows_written(job):
    """What a run of cogni says it published, for checking that all of it was done."""
    import json
    with open(f"{job.output}/bench/current/manifest.json") as file:
        return sum(stream["rows"] for stream in json.load(file)["streams"])


if __name__ == "__main__":
    sys.exit("this is a part of Bench/bench.py")
