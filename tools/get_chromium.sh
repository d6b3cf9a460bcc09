#!/bin/sh
# Finds or installs a Chromium for the browser tests: the named one, the system's, Debian's when
# root is on Debian, otherwise Playwright's own.
set -eu

if [ -n "${HELSEVEV_CHROMIUM:-}" ]; then
    [ -x "$HELSEVEV_CHROMIUM" ] && exit 0
    echo "HELSEVEV_CHROMIUM names no program: $HELSEVEV_CHROMIUM" >&2
    exit 1
fi
command -v chromium >/dev/null 2>&1 && exit 0

if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Debian's Chromium ..."
    apt-get -qq update >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
        chromium fonts-liberation >/dev/null
    exit 0
fi

echo "Installing Playwright's Chromium ..."
.venv/bin/python -m playwright install chromium || {
    echo 'No Chromium could be installed. Name one in HELSEVEV_CHROMIUM, or as root on Debian:' >&2
    echo 'apt-get install chromium. Then run make again.' >&2
    exit 1
}
