#!/bin/sh
# Writes the lock files anew from pyproject.toml: hashes, every supported Python, no index address.
set -eu

uv=$(mktemp -d)
trap 'rm -rf "$uv"' EXIT
.venv/bin/python -m pip --disable-pip-version-check -qq install --target "$uv" uv

compile() {
    PYTHONPATH=$uv .venv/bin/python -m uv --no-config pip compile --quiet --universal \
        --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "$@"
}

compile pyproject.toml --extra build --output-file requirements.lock
compile pyproject.toml --extra build --extra dev --constraint requirements.lock \
    --output-file requirements-dev.lock
compile pyproject.toml --extra node --extra build --constraint requirements.lock \
    --output-file requirements-node.lock
