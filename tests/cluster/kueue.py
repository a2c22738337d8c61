"""The real Kueue controller beside a test cluster: not in it, so its webhooks point at a URL on this machine."""

from __future__ import annotations

import base64
import json
import pathlib
from typing import Any

import yaml

from tests.cluster.parts import BIN, Parts, free_port, kubectl

MANIFESTS = BIN / "kueue-manifests"  # from its Go module, put there by build.sh
METRICS_CERTIFICATES = pathlib.Path("/etc/kueue/metrics/certs")  # fixed in Kueue 0.15's source
CONVERTED = {"localqueues", "clusterqueues", "cohorts", "workloads", "multikueueclusters"}  # by a webhook, in 0.15
GROUPS = {"batch", "kueue.x-k8s.io"}  # other frameworks' CRDs are not installed
API = "kueue.x-k8s.io/v1beta2"
PROBE = {"apiVersion": API, "kind": "ResourceFlavor", "metadata": {"name": "probe"}}
Manifest = dict[str, Any]


def missing() -> list[str]:
    """What has not been built."""
    return [p.name for p in (BIN / "kueue", MANIFESTS / "webhooks.yaml") if not p.exists()]


def start(home: pathlib.Path, parts: Parts) -> None:
    """Starts Kueue; ready when its webhook lets an object pass. ``cluster.down`` stops it."""
    port = free_port()
    config = _configure(home, port)
    authority = base64.b64encode((home / "pki" / "ca.crt").read_bytes()).decode()
    documents = [*_definitions(port, authority), *_webhooks(port, authority)]
    kubectl(home, "create", "namespace", "kueue-system")
    kubectl(home, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(documents))
    parts.wait_for_definitions()
    kubeconfig = home / "admin.kubeconfig"
    parts.start(
        "kueue",
        BIN / "kueue",
        f"--config={config}",
        f"--kubeconfig={kubeconfig}",
        "--feature-gates=VisibilityOnDemand=false",
    )
    parts.wait("kueue", lambda: kubectl(home, "create", "--dry-run=server", "-f", "-", stdin=json.dumps(PROBE)))


def _configure(home: pathlib.Path, port: int) -> pathlib.Path:
    """Kueue's configuration; it serves with the API server's certificate, which names 127.0.0.1."""
    here = home / "kueue"
    for folder in (here / "certs", METRICS_CERTIFICATES):
        folder.mkdir(parents=True, exist_ok=True)
        for part in ("crt", "key"):
            (folder / f"tls.{part}").write_bytes((home / "pki" / f"api.{part}").read_bytes())
    config = here / "config.yaml"
    config.write_text(
        json.dumps(
            {
                "apiVersion": "config.kueue.x-k8s.io/v1beta2",
                "kind": "Configuration",
                "namespace": "kueue-system",
                "health": {"healthProbeBindAddress": f"127.0.0.1:{free_port()}"},
                "metrics": {"bindAddress": "0"},
                "webhook": {"port": port, "host": "127.0.0.1", "certDir": str(here / "certs")},
                "leaderElection": {"leaderElect": False},
                "internalCertManagement": {"enable": False},
                "clientConnection": {"qps": 300, "burst": 400},
                "integrations": {"frameworks": ["batch/job"]},
            }
        )
    )
    return config


def _aimed(port: int, authority: str, path: str) -> Manifest:
    return {"url": f"https://127.0.0.1:{port}{path}", "caBundle": authority}


def _definitions(port: int, authority: str) -> list[Manifest]:
    """Kueue's resource definitions, their conversion aimed at this machine."""
    found = [
        crd for file in sorted(MANIFESTS.glob("kueue*.yaml")) for crd in yaml.safe_load_all(file.read_text()) if crd
    ]
    for crd in found:
        if crd["spec"]["names"]["plural"] in CONVERTED:
            hook = {"conversionReviewVersions": ["v1"], "clientConfig": _aimed(port, authority, "/convert")}
            crd["spec"]["conversion"] = {"strategy": "Webhook", "webhook": hook}
    return found


def _webhooks(port: int, authority: str) -> list[Manifest]:
    """Kueue's webhooks for Jobs and its own kinds, aimed at this machine."""
    found = [w for w in yaml.safe_load_all((MANIFESTS / "webhooks.yaml").read_text()) if w]
    for configuration in found:
        configuration["metadata"]["name"] = "kueue-" + configuration["metadata"]["name"]
        hooks = [h for h in configuration["webhooks"] if {g for r in h["rules"] for g in r["apiGroups"]} <= GROUPS]
        for hook in hooks:
            hook["clientConfig"] = _aimed(port, authority, hook["clientConfig"]["service"]["path"])
        configuration["webhooks"] = hooks
    return found


def queue(name: str, quota: dict[str, str], **spec: Any) -> list[Manifest]:
    """A cluster queue with this quota of each resource, for every namespace."""
    resources = [{"name": resource, "nominalQuota": most} for resource, most in quota.items()]
    flavors = [{"name": "any", "resources": resources}]
    return [
        {"apiVersion": API, "kind": "ResourceFlavor", "metadata": {"name": "any"}},
        {
            "apiVersion": API,
            "kind": "ClusterQueue",
            "metadata": {"name": name},
            "spec": {
                "namespaceSelector": {},
                "resourceGroups": [{"coveredResources": list(quota), "flavors": flavors}],
                **spec,
            },
        },
    ]


def local_queue(namespace: str, name: str, cluster_queue: str) -> Manifest:
    """The queue of a namespace that leads to a cluster queue."""
    return {
        "apiVersion": API,
        "kind": "LocalQueue",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"clusterQueue": cluster_queue},
    }
