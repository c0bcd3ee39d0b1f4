#!/usr/bin/env bash
# Write the lock files anew from pyproject.toml: every package with its hashes, and no index address.
set -eu
cd "$(dirname "$0")/.."
lock() {
  local to="$1"; shift
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-annotate --no-header pyproject.toml "$@" -o "requirements/$to.txt"
}
lock run --extra setup
lock test --extra setup --extra test
lock heavy --extra setup --extra test --extra spark --extra heavy --extra hsm
