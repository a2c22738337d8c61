#!/usr/bin/env bash
# Makes a base image without a registry: Debian bookworm with its Python 3.11, from Debian's archive. Prints its name.
# For machines that cannot pull python:3.11-slim-bookworm, such as the tests'. Needs root, debootstrap and buildah.
set -euo pipefail
name=${1:-localhost/python:3.11-bookworm}
buildah=(buildah --root "${IMAGES_ROOT:-/var/lib/containers/storage}")

if ! "${buildah[@]}" inspect --type image "$name" >/dev/null 2>&1; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$work/tree" >"$work/log" ||
    { tail -n 20 "$work/log" >&2; exit 1; }
  rm -rf "$work"/tree/var/cache/apt/* "$work"/tree/var/lib/apt/lists/* "$work"/tree/var/log/* \
    "$work"/tree/usr/share/{doc,info,locale,man}/*
  container=$("${buildah[@]}" from scratch)
  "${buildah[@]}" add "$container" "$work/tree" / >/dev/null
  "${buildah[@]}" commit --quiet --rm "$container" "$name" >/dev/null
fi
echo "$name"
