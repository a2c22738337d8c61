#!/usr/bin/env bash
# Locks every requirements file from pyproject.toml, hashed, for every platform (needs uv). Run it after changing a dependency:
# what is locked stays unless the change moves it, or an argument does (--upgrade, --upgrade-package NAME).
set -euo pipefail
cd "$(dirname "$0")/.."
# pip takes a package with an extra from the lock only where the lock names the extra.
compile=(uv pip compile --quiet --no-strip-extras --universal --python-version 3.11 --generate-hashes --no-annotate --no-header "$@")
lock() { # output name, uv arguments
  "${compile[@]}" "${@:2}" pyproject.toml -o "requirements/$1.txt"
}
lock dev --extra dev
lock demo --extra demo --constraints requirements/dev.txt
for image in trainer-cpu trainer-gpu k8s aggregator; do
  lock "$image" --extra "$image" --extra s3 --constraints requirements/dev.txt
done
# Programs that CI runs in environments of their own: Spark is large, cffconvert needs an older jsonschema than the tests, and
# checkov has a hundred dependencies of its own. audit holds pip-audit and the library that writes bills of materials.
alone() { # name, requirements
  printf '%s\n' "${@:2}" | "${compile[@]}" - -o "requirements/$1.txt"
}
alone spark "pyspark>=4"
alone cffconvert "cffconvert>=2"
alone checkov "checkov>=3.3"
alone audit "pip-audit>=2.10" "cyclonedx-python-lib[json-validation]>=11"
