"""Starts the real Kueue controller against a cluster from cluster.py: python kueue.py DIR (its binary: bin/kueue, see build.sh).

Runs beside the control plane, not in it: webhooks and CRD conversion point at a URL on this machine, the certificate comes from the test CA.
"""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
import sys

import cluster
import yaml

PORT = 9443
CONVERTED = {
    "localqueues",
    "clusterqueues",
    "cohorts",
    "workloads",
    "multikueueclusters",
}  # the kinds with a conversion webhook in 0.15


def manifests(source: pathlib.Path, ca: str) -> list[dict]:
    """Kueue's own CRDs and webhook configurations, from its Go module, aimed at this machine."""

    def aimed(path: str) -> dict:
        return {"url": f"https://127.0.0.1:{PORT}{path}", "caBundle": ca}

    out = []
    for f in sorted((source / "config/components/crd/bases").glob("*.yaml")):
        for crd in yaml.safe_load_all(f.read_text()):
            if crd:
                if crd["spec"]["names"]["plural"] in CONVERTED:
                    crd["spec"]["conversion"] = {
                        "strategy": "Webhook",
                        "webhook": {"conversionReviewVersions": ["v1"], "clientConfig": aimed("/convert")},
                    }
                out.append(crd)
    for hooks in yaml.safe_load_all((source / "config/components/webhook/manifests.yaml").read_text()):
        if hooks:
            hooks["metadata"]["name"] = "kueue-" + hooks["metadata"]["name"]
            # only what a batch Job and Kueue's own kinds need: other frameworks' CRDs are not installed
            hooks["webhooks"] = [
                h
                for h in hooks["webhooks"]
                if {g for r in h["rules"] for g in r["apiGroups"]} <= {"batch", "kueue.x-k8s.io"}
            ]
            for h in hooks["webhooks"]:
                h["clientConfig"] = aimed(h["clientConfig"]["service"]["path"])
            out.append(hooks)
    return out


def main(home: pathlib.Path) -> None:
    pki, here = home / "pki", home / "kueue"
    certs = here / "certs"
    for folder in (certs, pathlib.Path("/etc/kueue/metrics/certs")):  # the second is fixed in Kueue 0.15's source
        folder.mkdir(parents=True, exist_ok=True)
        for part in ("crt", "key"):
            (folder / f"tls.{part}").write_bytes(
                (pki / f"api.{part}").read_bytes()
            )  # the API server's own: it names 127.0.0.1
    (here / "config.yaml").write_text(
        json.dumps(
            {
                "apiVersion": "config.kueue.x-k8s.io/v1beta2",
                "kind": "Configuration",
                "namespace": "kueue-system",
                "health": {"healthProbeBindAddress": f"127.0.0.1:{cluster.free_port()}"},
                "metrics": {"bindAddress": "0"},
                "webhook": {"port": PORT, "host": "127.0.0.1", "certDir": str(certs)},
                "leaderElection": {"leaderElect": False},
                "internalCertManagement": {"enable": False},
                "clientConnection": {"qps": 300, "burst": 400},
                "integrations": {"frameworks": ["batch/job"]},
            }
        )
    )
    module = subprocess.run(
        ["go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kueue"],
        cwd=cluster.HERE / "modules/kueue",
        check=True,
        capture_output=True,
        text=True,
    )
    ca = base64.b64encode((pki / "ca.crt").read_bytes()).decode()
    docs = manifests(pathlib.Path(module.stdout.strip()), ca)
    subprocess.run(
        [cluster.BIN / "kubectl", f"--kubeconfig={home / 'admin.kubeconfig'}", "create", "namespace", "kueue-system"],
        capture_output=True,
    )
    cluster.kubectl(home, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(docs))
    cluster.kubectl(home, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    parts = cluster.Parts(home)
    parts.pids = json.loads((home / "pids.json").read_text())
    parts.start(
        "kueue",
        cluster.BIN / "kueue",
        f"--config={here / 'config.yaml'}",
        f"--kubeconfig={home / 'admin.kubeconfig'}",
        "--feature-gates=VisibilityOnDemand=false",
    )
    flavour = {"apiVersion": "kueue.x-k8s.io/v1beta2", "kind": "ResourceFlavor", "metadata": {"name": "probe"}}
    parts.wait(
        "kueue", lambda: cluster.kubectl(home, "create", "--dry-run=server", "-f", "-", stdin=json.dumps(flavour)), 60
    )


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
