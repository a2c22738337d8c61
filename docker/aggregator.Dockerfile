# The aggregator's image: `python -m aggregator` builds a report from the store, `python -m k8s.collect` does so as the
# Jobs of a run finish. It holds no TensorFlow. Build it with docker/build.sh, or by hand from the repository's root:
#   docker build -f docker/aggregator.Dockerfile .
# BASE_IMAGE as in trainer.Dockerfile.
ARG BASE_IMAGE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS builder
COPY requirements/aggregator.txt requirements/k8s.txt docker/slim.py /build/
# A package index of one's own is a secret of the build (docker/build.sh hands over pip.conf): no layer holds it.
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf,required=false \
    --mount=type=secret,id=ca-certificates.crt,target=/etc/ssl/certs/ca-certificates.crt,required=false \
    python3 -m venv /build/pip \
    && python3 -m venv --without-pip /opt/venv \
    && /build/pip/bin/pip --python /opt/venv install --require-hashes --only-binary :all: --no-compile --no-cache-dir --quiet \
       --disable-pip-version-check --requirement /build/aggregator.txt --requirement /build/k8s.txt \
    && /opt/venv/bin/python /build/slim.py

FROM ${BASE_IMAGE}
# No installer and no file that raises privileges in what runs; user 10001 has no home, no shell and owns nothing.
RUN rm -rf /usr/local/bin/pip* /usr/local/bin/idle* /usr/local/lib/python3*/ensurepip /usr/lib/python3*/ensurepip \
       /usr/share/python-wheels /usr/local/lib/python3*/site-packages/* /usr/lib/python3/dist-packages/pip* \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin app
COPY --from=builder /opt/venv /opt/venv
COPY experiment /app/experiment
COPY aggregator /app/aggregator
COPY k8s /app/k8s
COPY LICENSE NOTICE docker/bills /usr/share/doc/collaborative-ensembles/
# The root file system may be read-only: all that is written goes to /tmp (an emptyDir) and to the store.
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["python", "-m", "aggregator"]
# Last, so that a new commit rebuilds no layer above.
ARG VERSION=unknown
ARG REVISION=unknown
ARG BASE_IMAGE
ENV GIT_COMMIT=${REVISION}
LABEL org.opencontainers.image.title="collaborative-ensembles aggregator" \
      org.opencontainers.image.description="Builds and refreshes the report of a run of collaborative ensembles" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
