#!/bin/sh
# Makes .venv, also with a Debian Python that came without ensurepip. Usage: make_venv.sh PYTHON
set -eu

python=$1
if [ -z "$python" ]; then
    echo 'Helsevev needs Python 3.11 or newer, and none was found on the PATH.' >&2
    echo 'Install one, or name it: make PYTHON=/path/to/python3 ...' >&2
    exit 1
fi

usable() { .venv/bin/python -m pip --version >/dev/null 2>&1; }

echo "Making .venv with $("$python" --version) ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$python" -m venv --clear .venv >"$log" 2>&1 && usable && exit 0

# No ensurepip. A pip outside the venv can install one inside it.
if "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear --without-pip .venv >"$log" 2>&1 &&
        "$python" -m pip --python .venv/bin/python install --quiet pip >>"$log" 2>&1 &&
        usable && exit 0
fi

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "This Python came without ensurepip: installing Debian's python$version-venv ..."
    apt-get -qq update >"$log" 2>&1 || true
    apt-get -qq install -y "python$version-venv" >>"$log" 2>&1 || true
    "$python" -m venv --clear .venv >>"$log" 2>&1 && usable && exit 0
fi

cat "$log" >&2
rm -rf .venv
echo 'A virtual environment could not be made: this Python has neither ensurepip nor pip.' >&2
echo 'On Debian and Ubuntu: sudo apt-get install python3-venv. Then run make again.' >&2
exit 1
