"""Fixtures of all tests: stores of every kind, and the option by which CI refuses skipped tests."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import time
import types
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pycurl  # noqa: F401, before a test imports TensorFlow, whose library would hide pycurl's own libcurl
import pytest
from hypothesis import HealthCheck, settings
from moto.server import ThreadedMotoServer

from experiment.s3 import S3Store
from experiment.store import LocalStore

ROOT = Path(__file__).parent.parent
BIN = Path(os.environ.get("CLUSTER_BIN", ROOT / "tests" / "cluster" / "bin"))
USER, PASSWORD = "tester", "tester-password"
# How fast an example runs says how busy the machine is; pytest's timeout ends what hangs.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_addoption(parser):
    parser.addoption("--no-skips", action="store_true", help="a skipped test fails")
    parser.addoption("--may-skip", metavar="REGEX", help="but one whose reason matches may be skipped")


def _refuse_skip(report, config):
    if not config.getoption("--no-skips") or not report.skipped or hasattr(report, "wasxfail"):
        return
    allowed = config.getoption("--may-skip")
    if not (allowed and re.search(allowed, str(report.longrepr))):
        report.outcome = "failed"
        report.longrepr = f"skipped, which --no-skips forbids: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    _refuse_skip(report, item.config)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    _refuse_skip(report, collector.config)
    return report


@pytest.fixture
def local_store(tmp_path):
    """An empty store in a directory."""
    return LocalStore(tmp_path / "store", create=True)


@pytest.fixture(scope="session")
def moto_server():
    """The URL of an S3 server that is quick to start."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def minio_server(tmp_path_factory):
    """The URL of a real S3 server, where its binary has been built."""
    with run_minio(tmp_path_factory.mktemp("minio")) as url:
        yield url


@contextlib.contextmanager
def run_minio(home: Path, **variables: str) -> Iterator[str]:
    """The URL of a real S3 server with these variables, for as long as the block runs."""
    binary = BIN / "minio"
    if not binary.exists():
        pytest.skip(f"no S3 server at {binary}: make cluster builds it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        **os.environ,
        "MINIO_ROOT_USER": USER,
        "MINIO_ROOT_PASSWORD": PASSWORD,
        "MINIO_BROWSER": "off",
        "HOME": str(home),
        **variables,
    }
    url = f"http://127.0.0.1:{port}"
    command = [binary, "server", home / "data", "--address", f"127.0.0.1:{port}"]
    with (home / "log").open("wb") as log, subprocess.Popen(command, env=env, stdout=log, stderr=log) as server:
        try:
            _wait(url + "/minio/health/live", home / "log")
            yield url
        finally:
            server.terminate()


def _wait(url: str, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(f"no answer from {url}: {log.read_text()[-2000:]}")


@pytest.fixture
def s3_environment(monkeypatch):
    """Sets the environment that a program needs to use the S3 server at a URL."""

    def use(url: str) -> None:
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": PASSWORD,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would remember other credentials

    return use


@pytest.fixture
def bucket_on(s3_environment):
    """Makes a store in a new bucket of the S3 server at a URL."""
    opened = []

    def make(url: str) -> S3Store:
        s3_environment(url)
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        client = boto3.client("s3")
        client.create_bucket(Bucket=name)
        client.close()
        store = S3Store(f"s3://{name}/some/prefix", sleep=lambda _: None)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store._client.close()


@pytest.fixture
def moto_store(moto_server, bucket_on):
    """An empty store on the quick S3 server."""
    return bucket_on(moto_server)


@pytest.fixture
def minio_store(minio_server, bucket_on):
    """An empty store on the real S3 server."""
    return bucket_on(minio_server)


@pytest.fixture(params=["local_store", "moto_store", pytest.param("minio_store", marks=pytest.mark.s3)])
def store(request):
    """An empty store of each kind."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def impatient_client(monkeypatch):
    """The client's own pauses between its tries are botocore's to test."""
    monkeypatch.setattr("botocore.endpoint.time", types.SimpleNamespace(sleep=lambda _: None, time=lambda: 0.0))
