"""A real node that holds the built images, an S3 server that pods reach, and a namespace for each test."""

from __future__ import annotations

import os
import subprocess
import urllib.request
import uuid

import boto3
import pytest

from experiment.s3 import S3Store
from tests.cluster import cluster, node
from tests.cluster.parts import BIN, BRIDGE, Parts, free_port
from tests.conftest import PASSWORD, USER
from tests.docker import built
from tests.e2e.real_namespace import RealNamespace


@pytest.fixture(scope="session")
def images():
    """The images by their short names."""
    absent = ", ".join(filter(None, [node.missing(), built.missing(), *cluster.missing()]))
    if absent:
        pytest.skip(
            f"no real node: it needs {absent} (make cluster builds the binaries, tests/cluster/README.md names the packages)"
        )
    return built.build()


@pytest.fixture(scope="session")
def real_cluster(images, tmp_path_factory):
    """The home of a control plane whose one node is this machine, with the images on it."""
    home = tmp_path_factory.mktemp("node")
    cluster.up(home, real=True)
    try:
        for image in images.values():
            node.import_image(home, image.archive, image.repository)
        yield home
    finally:
        cluster.down(home)


@pytest.fixture(scope="session")
def pods_s3(real_cluster):
    """The URL of a real S3 server at the address where pods reach this machine."""
    if not (BIN / "minio").exists():
        pytest.skip(f"no S3 server at {BIN / 'minio'}: make cluster builds it")
    home, address = real_cluster / "minio", f"{BRIDGE}:{free_port()}"
    environment = {
        **os.environ,
        "MINIO_ROOT_USER": USER,
        "MINIO_ROOT_PASSWORD": PASSWORD,
        "MINIO_BROWSER": "off",
        "HOME": str(home),
    }
    with (real_cluster / "log" / "minio.log").open("wb") as log:
        command = [BIN / "minio", "server", home, "--address", address]
        with subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server:
            url = f"http://{address}"
            Parts(real_cluster).wait("minio", lambda: urllib.request.urlopen(f"{url}/minio/health/live", timeout=2))
            yield url
            server.terminate()


@pytest.fixture
def pods_endpoint(pods_s3):
    """The URL at which pods find the store; a module may put something between them."""
    return pods_s3


@pytest.fixture
def namespace(real_cluster, images, pods_s3, pods_endpoint, s3_environment, tmp_path):
    """A namespace that was set up, an empty store, and settings for launches."""
    s3_environment(pods_s3)
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    made = RealNamespace(
        real_cluster, tmp_path, f"namespace-{uuid.uuid4().hex[:8]}", S3Store(f"s3://{bucket}/grids", client)
    )
    made.set_up(images, pods_endpoint, USER, PASSWORD)
    yield made
    made.tear_down()
    client.close()
