#!/usr/bin/env bash
# Locks every requirements file from pyproject.toml, hashed, for every platform (needs uv). Run it after changing a dependency.
set -euo pipefail
cd "$(dirname "$0")/.."
lock() { # output name, uv arguments
  local out=$1
  shift
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header "$@" pyproject.toml -o "requirements/$out.txt"
}
lock dev --extra dev
lock demo --extra demo --constraints requirements/dev.txt
for image in trainer-cpu trainer-gpu k8s aggregator; do
  lock "$image" --extra "$image" --extra s3 --constraints requirements/dev.txt
done
# Programs that CI runs in environments of their own: Spark is large, cffconvert needs an older jsonschema than the tests.
alone() { # name, requirement
  echo "$2" | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header - -o "requirements/$1.txt"
}
alone spark "pyspark>=4"
alone cffconvert "cffconvert>=2"
