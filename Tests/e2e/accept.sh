#!/bin/sh
# Writes Fixtures/expected anew from what this build makes of the fixtures. Look at `git diff Fixtures/expected` before committing.
set -eu
cd "$(dirname "$0")/../.."
BIN=$(cd "${BIN:-.build/debug}" && pwd) PYTHONDONTWRITEBYTECODE=1 exec python3 Tests/e2e/golden.py accept
