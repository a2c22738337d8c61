"""What the policies of a namespace let pods connect to, worked out as a network plug-in does."""

from __future__ import annotations

import ipaddress

import pytest

from experiment.errors import InvalidInput
from k8s.manifests import namespace, render
from k8s.manifests.egress import parse_dns
from tests.k8s.factories import launch, settings

TRAINER = {"app.kubernetes.io/name": "collaborative-ensembles", "collaborative-ensembles/part": "trainer"}
PREPARE = {**TRAINER, "collaborative-ensembles/part": "prepare"}


def is_allowed(address, port, protocol="TCP", *, space="", labels=TRAINER, **values):
    """Whether the policies allow a connection: to a host, or to a pod in a namespace."""
    found = namespace.namespace_manifests(settings(**values), namespace.Options())
    rules = [
        rule
        for policy in found
        if policy["kind"] == "NetworkPolicy"
        and policy["spec"]["podSelector"].get("matchLabels", {}).items() <= labels.items()
        for rule in policy["spec"].get("egress", ())
    ]
    return any(
        {"protocol": protocol, "port": port} in rule["ports"] and any(_is_peer(p, address, space) for p in rule["to"])
        for rule in rules
    )


def _is_peer(peer, address, space):
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(block["cidr"])
        return inside and not any(
            ipaddress.ip_address(address) in ipaddress.ip_network(e) for e in block.get("except", ())
        )
    return peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": space}


OPENSHIFT = {"dns": ("openshift-dns:5353",)}


@pytest.mark.parametrize(
    ("connection", "values"),
    [
        (("10.0.0.10", 53, "UDP", "kube-system"), {}),
        (("169.254.20.10", 53, "UDP", ""), {}),
        (("169.254.20.10", 53, "TCP", ""), {}),
        (("10.128.0.5", 5353, "UDP", "openshift-dns"), OPENSHIFT),
        (("10.128.0.5", 5353, "TCP", "openshift-dns"), OPENSHIFT),
        (("172.20.0.10", 53, "UDP", ""), {"dns": ("172.20.0.10",)}),
        (("10.1.2.3", 5300, "UDP", ""), {"dns": ("10.1.0.0/16:5300",)}),
        (("fd00::a", 53, "UDP", ""), {"dns": ("fd00::a",)}),
        (("fd00::a", 5300, "UDP", ""), {"dns": ("[fd00::/8]:5300",)}),
        (("10.0.0.1", 6443, "TCP", ""), {}),
        (("192.168.49.2", 8443, "TCP", ""), {"api_ports": (8443,)}),
        (("10.1.1.1", 16443, "TCP", ""), {"api_ports": (443, 16443)}),
        (("52.216.1.1", 443, "TCP", ""), {"api_ports": (8443,)}),
        (("10.9.9.9", 9000, "TCP", ""), {"s3_endpoint": "http://minio.storage:9000"}),
        (("10.9.9.9", 3128, "TCP", ""), {"proxy": "http://proxy.example:3128"}),
        (("10.9.9.9", 80, "TCP", ""), {"proxy": "http://proxy.example"}),
        (("169.254.170.23", 80, "TCP", ""), {}),
    ],
)
def test_pods_reach_what_they_need(connection, values):
    address, port, protocol, space = connection

    assert is_allowed(address, port, protocol, space=space, **values)


@pytest.mark.parametrize(
    "connection",
    [
        ("169.254.169.254", 443, "TCP", ""),
        ("169.254.169.254", 80, "TCP", ""),
        ("10.0.0.10", 53, "UDP", "elsewhere"),
        ("8.8.8.8", 53, "UDP", ""),
        ("10.0.0.1", 22, "TCP", ""),
        ("10.9.9.9", 3128, "TCP", ""),
        ("10.9.9.9", 80, "TCP", ""),
    ],
)
def test_pods_reach_nothing_else(connection):
    address, port, protocol, space = connection

    assert not is_allowed(address, port, protocol, space=space)


def test_only_preparing_pods_reach_sources_of_data_by_plain_http():
    assert is_allowed("52.1.1.1", 80, labels=PREPARE)
    assert not is_allowed("52.1.1.1", 80)


@pytest.mark.parametrize(
    "text", ["Kube-System", "a.b", "10.0.0.300", "kube-system:0", "kube-system:70000", ":53", "[x]:53", "a:b:c", ""]
)
def test_a_place_that_is_none_is_refused_when_the_settings_are_made(text):
    with pytest.raises(InvalidInput, match="an entry of setting dns"):
        parse_dns(text)
    with pytest.raises(InvalidInput, match="an entry of setting dns"):
        settings(dns=(text,))


def test_pods_use_the_proxy_for_all_but_the_cluster_and_their_identity():
    made = launch(proxy="http://proxy.example:3128", no_proxy=("minio.storage", "10.0.0.0/8"))
    for manifest in (render.trainer_manifest(made, "mnist", "j", 1), render.collect_manifest(made, "j")):
        env = {e["name"]: e.get("value") for e in manifest["spec"]["template"]["spec"]["containers"][0]["env"]}
        assert env["HTTPS_PROXY"] == env["HTTP_PROXY"] == "http://proxy.example:3128"
        direct = env["NO_PROXY"].split(",")
        assert direct[0] == "$(KUBERNETES_SERVICE_HOST)"
        assert {".svc", "169.254.170.23", "minio.storage", "10.0.0.0/8"} <= set(direct)


@pytest.mark.parametrize("proxy", ["proxy:3128", "http://user:secret@proxy:3128", "socks5://proxy:1080"])
def test_a_proxy_that_is_no_url_or_holds_a_password_is_refused(proxy):
    with pytest.raises(InvalidInput, match="setting proxy"):
        settings(proxy=proxy)
