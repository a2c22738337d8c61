"""The proxy of a kubeconfig's cluster is used, as kubectl uses it."""

from __future__ import annotations

import base64

import kubernetes.client
import pytest
import yaml

from experiment.errors import InvalidInput
from k8s.cluster.connect import connect_cluster
from k8s.cluster.kubeconfig import find_proxy, set_proxy
from tests.k8s.api_server import KUBECONFIG

GOOD = yaml.safe_load(KUBECONFIG.format(url="http://api.invalid:6443", user="{token: t}"))


def with_proxy(proxy):
    return {
        **GOOD,
        "clusters": [{"name": "test", "cluster": {"server": "http://api.invalid:6443", "proxy-url": proxy}}],
    }


def test_a_cluster_that_only_its_proxy_reaches_is_reached(api, monkeypatch, tmp_path):
    (tmp_path / "config").write_text(yaml.safe_dump(with_proxy(api.url)))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    with connect_cluster("", "lab", answer_seconds=0, outage_seconds=0) as kube:
        assert kube.list("Job", "") == []

    assert api.requests == [("GET", "/apis/batch/v1/namespaces/lab/jobs")]


def test_the_context_s_cluster_counts_and_of_two_of_one_name_the_first():
    other = {
        "contexts": [{"name": "far", "context": {"cluster": "far"}}],
        "clusters": [
            {"name": "far", "cluster": {"proxy-url": "http://far:1"}},
            {"name": "test", "cluster": {"proxy-url": "http://late:1"}},
        ],
    }

    assert find_proxy([with_proxy("http://p:3128"), other], "") == "http://p:3128"
    assert find_proxy([with_proxy("http://p:3128"), other], "far") == "http://far:1"
    assert find_proxy([GOOD, other], "") == find_proxy([GOOD, other], "none") == find_proxy([], "") == ""


def test_a_proxy_s_user_is_sent_to_it_and_without_a_proxy_the_environment_counts(tmp_path):
    (tmp_path / "config").write_text(yaml.safe_dump(with_proxy("http://ann:p%40ss@p:3128")))
    made = kubernetes.client.Configuration()
    set_proxy(made, [str(tmp_path / "config"), str(tmp_path / "absent")], "")

    assert made.proxy == "http://ann:p%40ss@p:3128"
    assert base64.b64encode(b"ann:p@ss").decode() in made.proxy_headers["proxy-authorization"]

    (tmp_path / "config").write_text(yaml.safe_dump(GOOD))
    made = kubernetes.client.Configuration()
    made.proxy = "http://from-the-environment"
    set_proxy(made, [str(tmp_path / "config")], "")
    assert made.proxy == "http://from-the-environment"


@pytest.mark.parametrize("proxy", ["socks5://ann:secret@p:1080", "p:3128", "http://"])
def test_a_proxy_that_the_client_cannot_use_is_refused_in_a_line(proxy, monkeypatch, tmp_path):
    (tmp_path / "config").write_text(yaml.safe_dump(with_proxy(proxy)))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    with pytest.raises(InvalidInput, match=r"its proxy-url is .*, not http") as refusal:
        connect_cluster("", "lab")
    assert "secret" not in str(refusal.value)
