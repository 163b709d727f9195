#!/usr/bin/env python3
"""A key program for `COGNI_MASTER_KEY_COMMAND`: the door between cogni and a KMS. One JSON line comes in, one goes out.

Here openssl with a passphrase file stands for the KMS, so that the example runs anywhere; `ask` is the place for the call of a real one, such as
`aws kms encrypt` and `decrypt` with `context` as their encryption context. The program's argument names the key, here the file.
"""

import base64
import json
import subprocess
import sys


def ask(operation, data):
    cipher = ["openssl", "enc", "-aes-256-cbc", "-pbkdf2", "-pass", f"file:{sys.argv[1]}"]
    done = subprocess.run([*cipher, *(["-d"] if operation == "unwrap" else [])], input=data, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError("the KMS refused: " + done.stderr.decode(errors="replace").splitlines()[0])
    return done.stdout


request = json.loads(sys.stdin.readline())
try:
    if request["op"] not in ("wrap", "unwrap"):
        raise RuntimeError("this program wraps keys and hands out none")
    answer = {"ok": True, "data": base64.b64encode(ask(request["op"], base64.b64decode(request["data"]))).decode()}
except (RuntimeError, ValueError) as error:
    answer = {"ok": False, "error": str(error)}
print(json.dumps(answer))
