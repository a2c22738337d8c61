#!/usr/bin/env bash
# Builds the images with docker, podman or buildah, whichever is there: docker/build.sh [trainer] [trainer-gpu] [aggregator]
# For linux/amd64, wherever it runs. Prints a line per image: its name and size. The environment may say otherwise than the defaults:
#   BUILDER      docker, podman or buildah
#   BASE_IMAGE   the base, best by digest: python:3.11-slim-bookworm@sha256:...
#   IMAGE_PREFIX what names begin with (collaborative-ensembles); a registry's address makes them ready to push
#   IMAGE_TAG    the tag (the version in pyproject.toml)
#   PIP_CONF     a pip.conf for the build alone; CA_BUNDLE: the certificates it trusts. Neither enters an image.
#   IMAGES_ROOT  where buildah and podman keep images and layers
set -euo pipefail
cd "$(dirname "$0")/.."

works() { # docker is a client only: it needs its daemon and, for build secrets, buildx
  case $1 in
    docker) docker buildx version && docker info ;;
    podman | buildah) "$1" info ;;
  esac >/dev/null 2>&1
}
BUILDER=${BUILDER:-$(for tool in docker podman buildah; do ! works "$tool" || { echo "$tool"; break; }; done)}
[ -n "$BUILDER" ] || { echo "error: no docker (with buildx and its daemon), podman or buildah works here: install one" >&2; exit 1; }
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain 2>/dev/null)" ] || revision=$revision-dirty
prefix=${IMAGE_PREFIX:-collaborative-ensembles} tag=${IMAGE_TAG:-$version}

tool=("$BUILDER")
case $BUILDER in
  docker) build=(buildx build --load --platform linux/amd64) ;;
  podman) tool+=(${IMAGES_ROOT:+--root "$IMAGES_ROOT"}); build=(build --layers --format docker --platform linux/amd64) ;;
  buildah) tool+=(${IMAGES_ROOT:+--root "$IMAGES_ROOT"}); build=(bud --layers --isolation chroot --network host --platform linux/amd64) ;;
  *) echo "error: BUILDER is '$BUILDER'; it may be docker, podman or buildah" >&2; exit 1 ;;
esac
arguments=(--build-arg "VERSION=$version" --build-arg "REVISION=$revision")
[ -z "${BASE_IMAGE:-}" ] || arguments+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
[ -z "${PIP_CONF:-}" ] || arguments+=(--secret "id=pip.conf,src=$PIP_CONF")
[ -z "${CA_BUNDLE:-}" ] || arguments+=(--secret "id=ca-certificates.crt,src=$CA_BUNDLE")
case ${BASE_IMAGE:-} in
  *@sha256:*) ;;
  *) echo "note: the base image is named by tag, not by digest: this build cannot be repeated exactly (docs/images.md)" >&2 ;;
esac

[ $# -gt 0 ] || set -- trainer aggregator
for image in "$@"; do
  file=docker/$image.Dockerfile extra=()
  case $image in
    trainer) extra=(--build-arg REQUIREMENTS=trainer-cpu) ;;
    trainer-gpu) file=docker/trainer.Dockerfile extra=(--build-arg REQUIREMENTS=trainer-gpu --build-arg "LICENSES=Apache-2.0 AND LicenseRef-NVIDIA-Proprietary") ;;
    aggregator) ;;
    *) echo "error: image '$image'; it may be trainer, trainer-gpu or aggregator" >&2; exit 1 ;;
  esac
  "${tool[@]}" "${build[@]}" "${arguments[@]}" "${extra[@]}" -f "$file" -t "$prefix/$image:$tag" . >&2
  "${tool[@]}" images --format "{{.Size}}" "$prefix/$image:$tag" | sed "s|^|$prefix/$image:$tag  |"
done
