#!/usr/bin/env bash
# Write the lock files anew: every package with its hashes, and no index address.
set -eu
cd "$(dirname "$0")/.."
for set in run test heavy; do
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
    "requirements/$set.in" -o "requirements/$set.txt" "$@"
done
