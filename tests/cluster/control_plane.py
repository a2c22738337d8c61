"""The real control plane, without nodes: etcd, kube-apiserver, kube-controller-manager, kube-scheduler."""

from __future__ import annotations

import json
import pathlib

from tests.cluster.parts import BIN, BRIDGE, Parts, free_port, kubectl, sh

PARTS = ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")  # in the order of stopping
USERS = {
    "admin": "/O=system:masters/CN=admin",
    "kcm": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
    "node": "/O=system:nodes/CN=system:node:node0",
}


def start(home: pathlib.Path, parts: Parts) -> str:
    """Starts the control plane and returns the API server's URL."""
    pki = home / "pki"
    if not (pki / "ca.crt").exists():
        make_certificates(pki)
    client, secure = free_port(), free_port()
    url = f"https://127.0.0.1:{secure}"
    _etcd(home, parts, client)
    _api_server(home, parts, client, secure)
    for name in USERS:
        kubeconfig(home, name, url)
    parts.wait("kube-apiserver", lambda: kubectl(home, "get", "--raw", "/readyz") == "ok")
    _controllers(home, parts)
    parts.wait("default service account", lambda: kubectl(home, "get", "serviceaccount", "default"))
    return url


def _etcd(home: pathlib.Path, parts: Parts, client: int) -> None:
    peer = f"http://127.0.0.1:{free_port()}"
    parts.start(
        "etcd",
        BIN / "etcd",
        f"--data-dir={home / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--quota-backend-bytes=4294967296",
    )


def _api_server(home: pathlib.Path, parts: Parts, etcd: int, port: int) -> None:
    pki = home / "pki"
    parts.start(
        "kube-apiserver",
        BIN / "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=0.0.0.0",
        f"--secure-port={port}",
        "--advertise-address=127.0.0.1",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--client-ca-file={pki / 'ca.crt'}",
        f"--tls-cert-file={pki / 'api.crt'}",
        f"--tls-private-key-file={pki / 'api.key'}",
        f"--kubelet-client-certificate={pki / 'api.crt'}",
        f"--kubelet-client-key={pki / 'api.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki / 'sa.key'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",
        "--endpoint-reconciler-type=none",
        "--max-requests-inflight=0",
        "--max-mutating-requests-inflight=0",
        "--enable-priority-and-fairness=false",
    )


def _controllers(home: pathlib.Path, parts: Parts) -> None:
    pki, quick = home / "pki", ("--kube-api-qps=300", "--kube-api-burst=400")
    parts.start(
        "kube-controller-manager",
        BIN / "kube-controller-manager",
        f"--kubeconfig={home / 'kcm.kubeconfig'}",
        "--use-service-account-credentials",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--service-account-private-key-file={pki / 'sa.key'}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={free_port()}",
        "--node-monitor-period=1s",
        "--node-monitor-grace-period=12s",  # a real node that reports every 2 s flaps with less
        "--concurrent-job-syncs=20",
        "--terminated-pod-gc-threshold=20000",
        *quick,
    )
    parts.start(
        "kube-scheduler",
        BIN / "kube-scheduler",
        f"--kubeconfig={home / 'scheduler.kubeconfig'}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={free_port()}",
        *quick,
    )


def make_certificates(pki: pathlib.Path) -> None:
    """A certificate authority, the API server's certificate, and one for each of ``USERS``."""
    pki.mkdir(parents=True, exist_ok=True)
    authority = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=test-ca"]
    sh(*authority, "-keyout", pki / "ca.key", "-out", pki / "ca.crt")
    sh("openssl", "genrsa", "-out", pki / "sa.key", 2048)
    names = f"subjectAltName=IP:127.0.0.1,IP:{BRIDGE},IP:10.0.0.1,DNS:localhost,DNS:kubernetes.default.svc"
    _leaf(pki, "api", "/CN=kube-apiserver", f"{names}\nextendedKeyUsage=serverAuth,clientAuth\n")
    for name, subject in USERS.items():
        _leaf(pki, name, subject, "extendedKeyUsage=clientAuth\n")


def _leaf(pki: pathlib.Path, name: str, subject: str, extensions: str) -> None:
    (pki / f"{name}.ext").write_text(extensions)
    key, request, certificate = (pki / f"{name}.{part}" for part in ("key", "csr", "crt"))
    sh(*["openssl", "req", "-newkey", "rsa:2048", "-nodes"], "-subj", subject, "-keyout", key, "-out", request)
    signing = ("-CA", pki / "ca.crt", "-CAkey", pki / "ca.key", "-CAcreateserial", "-days", 3650)
    sh("openssl", "x509", "-req", "-in", request, *signing, "-out", certificate, "-extfile", pki / f"{name}.ext")


def kubeconfig(home: pathlib.Path, name: str, url: str, token: str = "") -> pathlib.Path:
    """Writes a kubeconfig for a user with a certificate, or with a token."""
    pki, out = home / "pki", home / f"{name}.kubeconfig"
    certificate = {"client-certificate": str(pki / f"{name}.crt"), "client-key": str(pki / f"{name}.key")}
    cluster = {"server": url, "certificate-authority": str(pki / "ca.crt")}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token} if token else certificate}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
    }
    out.write_text(json.dumps(content, indent=1))
    return out
