"""A kubeconfig that cannot be used is one line that names what it lacks; a plugin without credentials is named as such."""

from __future__ import annotations

import json
import os

import pytest
import yaml

from experiment.errors import InvalidInput
from k8s.cluster.connect import connect_cluster
from tests.k8s.api_server import KUBECONFIG

GOOD = yaml.safe_load(KUBECONFIG.format(url="https://127.0.0.1:1", user="{token: t}"))
API = "client.authentication.k8s.io/v1"
PLUGIN = {"apiVersion": API, "interactiveMode": "Never"}
NO_TOKEN = json.dumps({"kind": "ExecCredential", "apiVersion": API, "status": {}})


@pytest.fixture
def kubeconfig(monkeypatch, tmp_path):
    """The path of the kubeconfig that the test writes."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


def changed(part, **values):
    entry = GOOD[part][0]
    kind = part.removesuffix("s")
    return {**GOOD, part: [{"name": entry["name"], kind: {**entry[kind], **values}}]}


def test_a_context_that_does_not_exist_is_named(kubeconfig):
    with pytest.raises(InvalidInput, match="'elsewhere'"):
        connect_cluster("elsewhere", "lab")


@pytest.mark.parametrize("beside", ["empty", "missing"])
def test_files_that_say_nothing_beside_a_kubeconfig_are_passed_over(kubeconfig, beside, monkeypatch, tmp_path):
    kubeconfig.write_text(yaml.safe_dump(GOOD))
    if beside == "empty":
        (tmp_path / beside).touch()
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(tmp_path / beside), str(kubeconfig)]))

    connect_cluster("", "lab")


NO_CLUSTER = [{"name": "test", "context": {"cluster": "none", "user": "test"}}]
BROKEN = {
    **{text or "empty": text for text in ("", "[]", "- x", "text", "clusters: 3", "{", "\t:", "current-context: test")},
    **{f"no {part}": {k: v for k, v in GOOD.items() if k != part} for part in ("clusters", "contexts")},
    "another context": {**GOOD, "current-context": "other"},
    "another cluster": {**GOOD, "contexts": NO_CLUSTER},
    "a user without content": {**GOOD, "users": [{"name": "test"}]},
    "no server": {**GOOD, "clusters": [{"name": "test", "cluster": {"server": ""}}]},
    "a server that is no URL": changed("clusters", server="127.0.0.1:6443"),
    "a port that does not exist": changed("clusters", server="https://127.0.0.1:99999"),
    "a token of two lines": changed("users", token="a\nb"),
    "no file of the authority": changed("clusters", **{"certificate-authority": "/none/ca.crt"}),
    "no base64": changed("clusters", **{"certificate-authority-data": "no base64"}),
    "no certificate": changed("clusters", **{"certificate-authority-data": "bm8gY2VydGlmaWNhdGU="}),
    "no file of the user": changed("users", **{"client-certificate": "/none/u.crt", "client-key": "/none/u.key"}),
    "no file of the token": changed("users", tokenFile="/none/token", token=None),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_kubeconfig_that_cannot_be_used_is_refused_in_one_line(kubeconfig, what):
    content = BROKEN[what]
    kubeconfig.write_text(content if isinstance(content, str) else yaml.safe_dump(content))

    with pytest.raises(InvalidInput, match="kubeconfig") as caught:
        connect_cluster("", "lab")

    assert "\n" not in str(caught.value)
    assert "set KUBECONFIG or --context" in str(caught.value)


def test_a_kubeconfig_that_is_a_folder_or_no_text_is_refused(kubeconfig):
    kubeconfig.mkdir()
    with pytest.raises(InvalidInput, match="allowed: a context that kubectl can use"):
        connect_cluster("", "lab")
    kubeconfig.rmdir()
    kubeconfig.write_bytes(b"\xff\xfe\x00clusters")
    with pytest.raises(InvalidInput, match="allowed: a context that kubectl can use"):
        connect_cluster("", "lab")


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        ({**PLUGIN, "command": "/bin/false"}, "process returned 1"),
        ({**PLUGIN, "command": "/none/plugin"}, "No such file"),
        ({**PLUGIN, "command": "/bin/sh", "args": ["-c", "echo login expired >&2; exit 7"]}, "login expired"),
        ({**PLUGIN, "command": "/bin/echo", "args": ["hello"]}, "failed to decode"),
        ({**PLUGIN, "command": "/bin/echo", "args": [NO_TOKEN]}, "missing token"),
    ],
    ids=["fails", "is not there", "says why", "says no JSON", "says no token"],
)
def test_a_plugin_that_gives_no_credentials_is_named_and_not_the_role(kubeconfig, plugin, said, capfd):
    kubeconfig.write_text(yaml.safe_dump({**GOOD, "users": [{"name": "test", "user": {"exec": plugin}}]}))

    with pytest.raises(InvalidInput, match="gets no credentials") as caught:
        connect_cluster("", "lab")

    assert said in str(caught.value)
    assert "log in again" in str(caught.value)
    assert "role" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
