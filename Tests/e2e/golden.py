"""What each shipped pipeline makes of the recorded organization, as text that a person can compare.

usage: golden.py accept        writes Fixtures/expected anew
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "simulator")]

from harness import COGNI, FIXTURE, NOW, ROOT, SINCE, Output, content, environment  # noqa: E402

EXPECTED = ROOT / "Fixtures/expected"
RING = {"COGNI_KEY_RING": "Fixtures/keys/example.keyring.json"}
# Streams whose rows are kept as text too, so that a difference can be read.
SHOWN = {
    "openai-admin": ["costs", "projects", "users", "usage_moderations", "usage_completions", "audit_logs", "project_rate_limits"],
    "usage-and-costs": ["costs", "projects", "users", "usage_completions"],
    "security-inventory": ["users", "project_api_keys", "user_roles", "admin_api_keys"],
}
COMMAND = "Tests/e2e/accept.sh"


def render(pipeline):
    """Path below Fixtures/expected → text. Compressed bytes are left out: another version of a compressor is no difference."""
    with tempfile.TemporaryDirectory(prefix="cogni-golden-") as folder:
        command = [COGNI, "run", f"pipelines/{pipeline}.yaml", "--replay", str(FIXTURE), "--since", SINCE, "--now", NOW]
        done = subprocess.run([*command, "--output", folder], cwd=ROOT, env=environment(RING), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{pipeline} ended with {done.returncode}: {done.stderr[-2000:]}")
        output = Output(Path(folder) / pipeline)
        manifest = output.manifest
        for stream in manifest["streams"]:
            for partition in stream["partitions"]:
                for file in partition["files"]:
                    del file["sha256"], file["bytes"]
        texts = {f"{pipeline}/manifest.json": json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n"}
        for stream in SHOWN[pipeline]:
            for _, _, file in output.files(stream):
                name = file["path"].split("/")
                # Without the hash, so that a change of content shows as a difference of lines.
                ending = name[-1].split("-")[-1].split(".", 1)[1].removesuffix(".gz").removesuffix(".zst")
                place = "/".join([*name[:-1], f"{name[-1].split('-')[-2]}.{ending}"])
                texts[f"{pipeline}/{place}"] = content(output.current / file["path"]).decode("utf-8")
        return texts


def stored(pipeline):
    files = [path for path in (EXPECTED / pipeline).rglob("*") if path.is_file()]
    return {str(path.relative_to(EXPECTED)): path.read_bytes().decode("utf-8") for path in files}


def accept():
    for pipeline in SHOWN:
        texts = render(pipeline)
        shutil.rmtree(EXPECTED / pipeline, ignore_errors=True)
        for name, text in texts.items():
            path = EXPECTED / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
        print(f"{pipeline}: {len(texts)} files in Fixtures/expected/{pipeline}")


if __name__ == "__main__":
    if sys.argv[1:] != ["accept"]:
        sys.exit(__doc__)
    accept()
