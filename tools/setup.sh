#!/usr/bin/env bash
# Make everything a fresh clone needs: tools/setup.sh [run|test|heavy]. Quick when nothing changed. Says what is missing and how to get it.
set -eu
cd "$(dirname "$0")/.."
wanted="${1:-run}"
say() { printf '%s\n' "$*" >&2; }

find_python() {
  for name in ${WANJIA_PYTHON:-} python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info[:2] < (3, 14)))' 2>/dev/null; then
      command -v "$name"; return 0
    fi
  done
  return 1
}

python="$(find_python)" || { say "Python 3.11, 3.12 or 3.13 is needed. On Debian 12: apt-get install python3 python3-venv"; exit 2; }
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c '' 2>/dev/null; then
  say "Making .venv with $("$python" --version) …"
  if ! "$python" -m venv .venv 2>/dev/null; then
    rm -rf .venv
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
      say "Installing python3-venv …"; apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
      "$python" -m venv .venv
    else
      say "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 2
    fi
  fi
fi

lock="requirements/$wanted.txt"
stamp=".venv/.wanjia-$wanted-$(cat "$lock" pyproject.toml | sha256sum | cut -c1-16)"
if [ ! -e "$stamp" ]; then
  say "Installing Python packages ($wanted) …"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
  if [ "$wanted" = heavy ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --ignore-requires-python -r tools/independent_checker.txt
  fi
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  rm -f ".venv/.wanjia-$wanted-"*; touch "$stamp"
fi

parts_stamp="wanjia/web/static_parts/.stamp-$(cat package-lock.json tools/collect_browser_parts.py wanjia/web/resident/look.scss | sha256sum | cut -c1-16)"
if [ ! -e "$parts_stamp" ]; then
  say "Fetching the browser's parts …"
  PATH="$PWD/.venv/bin:$PATH" npm ci --ignore-scripts --no-audit --no-fund --silent
  .venv/bin/python tools/collect_browser_parts.py
  touch "$parts_stamp"
fi

translations_stamp=".venv/.wanjia-translations-$(cat wanjia/web/locale/*/LC_MESSAGES/*.po | sha256sum | cut -c1-16)"
if [ ! -e "$translations_stamp" ]; then
  .venv/bin/pybabel --quiet compile --domain django --directory wanjia/web/locale
  rm -f .venv/.wanjia-translations-*; touch "$translations_stamp"
fi

# where Python may not or must not write beside its sources, each start would compile them all again
.venv/bin/python -m compileall -q wanjia
