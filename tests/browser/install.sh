#!/usr/bin/env bash
# Installs what tests/browser.rs drives a browser with into tests/browser/installed/; the browser itself is the system's Chromium.
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v chromium >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get install -y -qq --no-install-recommends chromium >/dev/null || echo "Chromium cannot be installed; the test of the site is left out"
fi
mkdir -p installed
cp package.json installed/
npm install --prefix installed --no-audit --no-fund --no-package-lock --silent
