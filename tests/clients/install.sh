#!/usr/bin/env bash
# Installs the clients of others that tests/clients.rs runs, by name, into tests/clients/installed/.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p installed/node
if [ ! -x installed/python/bin/python ]; then
    python3 -m venv installed/python
fi
installed/python/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
cp package.json installed/node/
npm install --prefix installed/node --no-audit --no-fund --no-package-lock --silent
if command -v go >/dev/null; then
    GOBIN="$PWD/installed/go" go install github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2
fi
