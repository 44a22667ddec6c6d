#!/bin/sh
# Find a Python 3.13 (or take the one in $PYTHON) and let it do the rest.
set -eu
cd "$(dirname "$0")/../.."

fits() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null
}

# pyenv's own first: its shims on PATH are slow, and fail where another version is chosen.
for python in "${PYTHON:-}" \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 \
    python3.13 \
    "$(uv python find --no-project 3.13 2>/dev/null || true)"
do
    if [ -n "$python" ] && fits "$python"; then
        exec "$python" infra/local/setup.py
    fi
done
echo "connorg needs Python 3.13: get it by \`uv python install 3.13\`, \`pyenv install 3.13\` or" \
    "from python.org, then run this again." >&2
exit 1
