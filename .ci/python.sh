#!/bin/sh
# Makes a virtual environment with the newest supported Python of this machine.
set -eu
venv=$1
here=$(dirname "$0")
usable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}
python=
for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3; do
    if command -v "$name" >/dev/null 2>&1 && usable "$name"; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    echo "Bartizan needs Python 3.11, 3.12 or 3.13, and found none; name one with PYTHON=/path/to/python3" >&2
    exit 2
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian ships the venv module's other half in a package of its own.
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$here/system.sh" required "ensurepip-$version:python$version-venv"
fi
echo "Making a virtual environment in $venv with $("$python" --version)"
"$python" -m venv "$venv"
