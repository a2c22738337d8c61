# The trainer's image: `python -m trainer`. Build it with docker/build.sh, or by hand from the repository's root:
#   docker build -f docker/trainer.Dockerfile --build-arg REQUIREMENTS=trainer-gpu \
#     --build-arg LICENSES="Apache-2.0 AND LicenseRef-NVIDIA-Proprietary" .
# BASE_IMAGE needs Python 3.11 with venv, glibc and useradd. Give it by digest (python:3.11-slim-bookworm@sha256:...) for
# a build that can be repeated; docs/images.md says how to look the digest up.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS builder
# trainer-cpu or trainer-gpu: locked and hashed in requirements/
ARG REQUIREMENTS=trainer-cpu
COPY requirements/${REQUIREMENTS}.txt docker/slim.py /build/
# A package index of one's own is a secret of the build (docker/build.sh hands over pip.conf): no layer holds it.
# TensorFlow requires libclang, setuptools and wheel for building operators only.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf,required=false \
    --mount=type=secret,id=ca-certificates.crt,target=/etc/ssl/certs/ca-certificates.crt,required=false \
    python3 -m venv /build/pip \
    && python3 -m venv --without-pip /opt/venv \
    && /build/pip/bin/pip --python /opt/venv install --require-hashes --only-binary :all: --no-compile --no-cache-dir --quiet \
       --disable-pip-version-check --requirement "/build/${REQUIREMENTS}.txt" \
    && /build/pip/bin/pip --python /opt/venv uninstall --yes --quiet libclang setuptools wheel \
    && /opt/venv/bin/python /build/slim.py

FROM ${BASE_IMAGE}
# No installer and no file that raises privileges in what runs; user 10001 has no home, no shell and owns nothing.
RUN rm -rf /usr/local/bin/pip* /usr/local/bin/idle* /usr/local/lib/python3*/ensurepip /usr/lib/python3*/ensurepip \
       /usr/share/python-wheels /usr/local/lib/python3*/site-packages/* /usr/lib/python3/dist-packages/pip* \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin app
COPY --from=builder /opt/venv /opt/venv
COPY experiment /app/experiment
COPY trainer /app/trainer
COPY LICENSE NOTICE docker/bills /usr/share/doc/collaborative-ensembles/
# The root file system may be read-only: all that is written goes to /tmp (an emptyDir) and to the store.
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["python", "-m", "trainer"]
# Last, so that a new commit rebuilds no layer above.
ARG VERSION=unknown
ARG REVISION=unknown
ARG BASE_IMAGE
ARG REQUIREMENTS=trainer-cpu
ARG LICENSES=Apache-2.0
RUN case "$REQUIREMENTS $LICENSES" in \
      trainer-gpu\ *NVIDIA* | trainer-cpu\ *) ;; \
      *) echo "error: LICENSES is '$LICENSES'; allowed with trainer-gpu: one that names NVIDIA's, whose libraries it holds" >&2; exit 1 ;; \
    esac
ENV GIT_COMMIT=${REVISION}
LABEL org.opencontainers.image.title="collaborative-ensembles trainer" \
      org.opencontainers.image.description="Trains one cell of a grid of collaborative ensembles" \
      org.opencontainers.image.licenses="${LICENSES}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
