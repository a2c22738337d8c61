"""A real control plane with simulated GPU nodes, a namespace for each test, and a real S3 server as its store."""

from __future__ import annotations

import uuid

import pytest

from tests.cluster import cluster
from tests.cluster.simulated_run import SimulatedRun


@pytest.fixture(scope="session")
def simulated_cluster(tmp_path_factory):
    """The home of a control plane with 12 simulated nodes of 8 GPUs."""
    absent = cluster.missing()
    if absent:
        pytest.skip(f"no test cluster: {', '.join(absent)} not in {cluster.BIN}: make cluster builds them")
    home = tmp_path_factory.mktemp("cluster")
    cluster.up(home, kwok=12)
    yield home
    cluster.down(home)


@pytest.fixture
def run(simulated_cluster, minio_server, bucket_on, monkeypatch, tmp_path, capsys):
    """A namespace that was set up, an empty store, and hands to play kubelet and trainer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(simulated_cluster / "admin.kubeconfig"))
    made = SimulatedRun(simulated_cluster, f"lab-{uuid.uuid4().hex[:8]}", bucket_on(minio_server), capsys)
    made.set_up()
    yield made
    made.tear_down()
