"""A throwaway Kubernetes cluster from real parts, for tests on one machine (root, Linux, no registry, no Docker).

    python cluster.py up   DIR [--kwok NODES] [--node]     # writes DIR/admin.kubeconfig, prints it, leaves the parts running
    python cluster.py down DIR

The control plane (etcd, kube-apiserver, kube-controller-manager, kube-scheduler) is the real one, built by build.sh.
--kwok N adds N simulated GPU nodes; --node adds this machine as one real node (containerd + kubelet) that runs real containers.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("CLUSTER_BIN", HERE / "bin"))
BRIDGE = "10.244.0.1"  # the node's own address on the pod bridge: where pods reach servers of this machine


def sh(*args: object, **kw) -> str:
    return subprocess.run([str(a) for a in args], check=True, capture_output=True, text=True, **kw).stdout


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Parts:
    """Starts child processes, each with a log, and remembers their process ids in DIR/pids.json."""

    def __init__(self, home: pathlib.Path):
        self.home, self.pids = home, {}
        (home / "log").mkdir(parents=True, exist_ok=True)

    def start(self, name: str, *cmd: object) -> None:
        with open(self.home / "log" / f"{name}.log", "ab") as log:
            p = subprocess.Popen(
                [str(c) for c in cmd], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self.pids[name] = p.pid
        (self.home / "pids.json").write_text(json.dumps(self.pids))

    def wait(self, what: str, ready, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if ready():
                    return
            except Exception:
                pass
            time.sleep(0.1)
        raise SystemExit(f"{what} not ready after {seconds} s; see {self.home / 'log'}")


def make_certs(pki: pathlib.Path) -> None:
    pki.mkdir(parents=True, exist_ok=True)
    sh(
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        3650,
        "-subj",
        "/CN=test-ca",
        "-keyout",
        pki / "ca.key",
        "-out",
        pki / "ca.crt",
    )
    sh("openssl", "genrsa", "-out", pki / "sa.key", 2048)

    def leaf(name: str, subject: str, ext: str) -> None:
        (pki / f"{name}.ext").write_text(ext)
        sh(
            "openssl",
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            subject,
            "-keyout",
            pki / f"{name}.key",
            "-out",
            pki / f"{name}.csr",
        )
        sh(
            "openssl",
            "x509",
            "-req",
            "-in",
            pki / f"{name}.csr",
            "-CA",
            pki / "ca.crt",
            "-CAkey",
            pki / "ca.key",
            "-CAcreateserial",
            "-days",
            3650,
            "-out",
            pki / f"{name}.crt",
            "-extfile",
            pki / f"{name}.ext",
        )

    names = f"subjectAltName=IP:127.0.0.1,IP:{BRIDGE},IP:10.0.0.1,DNS:localhost,DNS:kubernetes.default.svc"
    leaf("api", "/CN=kube-apiserver", f"{names}\nextendedKeyUsage=serverAuth,clientAuth\n")
    for name, subject in {
        "admin": "/O=system:masters/CN=admin",
        "kcm": "/CN=system:kube-controller-manager",
        "scheduler": "/CN=system:kube-scheduler",
        "node": "/O=system:nodes/CN=system:node:node0",
    }.items():
        leaf(name, subject, "extendedKeyUsage=clientAuth\n")


def kubeconfig(home: pathlib.Path, name: str, url: str) -> pathlib.Path:
    pki, out = home / "pki", home / f"{name}.kubeconfig"
    out.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "clusters": [
                    {"name": "test", "cluster": {"server": url, "certificate-authority": str(pki / "ca.crt")}}
                ],
                "users": [
                    {
                        "name": name,
                        "user": {
                            "client-certificate": str(pki / f"{name}.crt"),
                            "client-key": str(pki / f"{name}.key"),
                        },
                    }
                ],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            },
            indent=1,
        )
    )
    return out


def control_plane(home: pathlib.Path, parts: Parts) -> str:
    pki = home / "pki"
    if not (pki / "ca.crt").exists():
        make_certs(pki)
    client, peer, secure = free_port(), free_port(), free_port()
    url = f"https://127.0.0.1:{secure}"
    parts.start(
        "etcd",
        BIN / "etcd",
        f"--data-dir={home / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-cluster=default=http://127.0.0.1:{peer}",
        "--unsafe-no-fsync",
        "--quota-backend-bytes=4294967296",
    )
    parts.start(
        "kube-apiserver",
        BIN / "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{client}",
        "--bind-address=0.0.0.0",
        f"--secure-port={secure}",
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
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    parts.wait(
        "kube-apiserver", lambda: urllib.request.urlopen(f"{url}/readyz", context=context, timeout=2).read() == b"ok"
    )
    for name in ("admin", "kcm", "scheduler", "node"):
        kubeconfig(home, name, url)
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
        "--node-monitor-grace-period=12s",
        "--kube-api-qps=300",
        "--kube-api-burst=400",
        "--concurrent-job-syncs=20",
    )
    parts.start(
        "kube-scheduler",
        BIN / "kube-scheduler",
        f"--kubeconfig={home / 'scheduler.kubeconfig'}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={free_port()}",
        "--kube-api-qps=300",
        "--kube-api-burst=400",
    )
    return url


def kubectl(home: pathlib.Path, *args: object, stdin: str | None = None) -> str:
    return sh(BIN / "kubectl", f"--kubeconfig={home / 'admin.kubeconfig'}", *args, input=stdin)


def kwok_nodes(home: pathlib.Path, parts: Parts, count: int) -> None:
    """Simulated nodes with 8 GPUs each; a pod completes after the delay its annotations ask for (bin/stages)."""
    stages = [arg for f in sorted((BIN / "stages").glob("*.yaml")) for arg in ("--config", f)]
    parts.start(
        "kwok",
        BIN / "kwok",
        f"--kubeconfig={home / 'admin.kubeconfig'}",
        "--manage-nodes-with-label-selector=type=kwok",
        "--node-lease-duration-seconds=40",
        *stages,
    )
    room = {"cpu": "96", "memory": "1Ti", "nvidia.com/gpu": "8", "pods": "110"}
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"gpu-{i}",
                "labels": {"type": "kwok", "kubernetes.io/arch": "amd64"},
                "annotations": {"kwok.x-k8s.io/node": "fake"},
            },
            "status": {"allocatable": room, "capacity": room},
        }
        for i in range(count)
    ]
    kubectl(home, "create", "-f", "-", stdin="\n---\n".join(json.dumps(n) for n in nodes))


def real_node(home: pathlib.Path, parts: Parts) -> None:
    """This machine as node0: Debian's containerd 1.6 and runc, the CNI bridge plugin, and the kubelet."""
    pki, run = home / "pki", home / "containerd"
    run.mkdir(exist_ok=True)
    sh("mount", "--make-rshared", "/")
    sh("sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "fs.inotify.max_user_instances=1024")
    if not pathlib.Path("/sys/class/net/cni0").exists():  # the kubelet refuses a loopback address as its own
        sh("ip", "link", "add", "cni0", "type", "bridge")
        sh("ip", "addr", "add", f"{BRIDGE}/24", "dev", "cni0")
        sh("ip", "link", "set", "cni0", "up")
    cni = home / "cni"
    cni.mkdir(exist_ok=True)
    (cni / "10-bridge.conflist").write_text(
        json.dumps(
            {
                "cniVersion": "0.4.0",
                "name": "bridge",
                "plugins": [
                    {
                        "type": "bridge",
                        "bridge": "cni0",
                        "isGateway": True,
                        "ipMasq": False,
                        "ipam": {
                            "type": "host-local",
                            "dataDir": str(home / "cni-leases"),
                            "ranges": [[{"subnet": "10.244.0.0/24"}]],
                            "routes": [{"dst": "0.0.0.0/0"}],
                        },
                    }
                ],
            }
        )
    )
    (home / "containerd.toml").write_text(f"""version = 2
root = "{run}/root"
state = "{run}/state"
[grpc]
  address = "{run}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true   # without CAP_SYS_RESOURCE no sandbox starts unless this is set
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni}"
""")
    parts.start("containerd", "containerd", "--config", home / "containerd.toml")
    parts.wait("containerd", lambda: sh("ctr", "-a", run / "containerd.sock", "version"))
    import_image(home, pause_image(home))
    (home / "kubelet.json").write_text(
        json.dumps(
            {
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "kind": "KubeletConfiguration",
                "failCgroupV1": False,
                "cgroupDriver": "cgroupfs",
                "containerRuntimeEndpoint": f"unix://{run}/containerd.sock",
                "authentication": {
                    "anonymous": {"enabled": False},
                    "webhook": {"enabled": True},
                    "x509": {"clientCAFile": str(pki / "ca.crt")},
                },
                "authorization": {"mode": "Webhook"},
                "failSwapOn": False,
                "maxOpenFiles": 20000,
                "makeIPTablesUtilChains": False,
                "imageGCHighThresholdPercent": 100,
                "evictionHard": {"memory.available": "100Mi"},
                "resolvConf": "/etc/resolv.conf",
                "nodeStatusUpdateFrequency": "2s",
                "nodeLeaseDurationSeconds": 8,
                "port": free_port(),
                "healthzPort": 0,
                "registerNode": True,
                "clusterDNS": [BRIDGE],
                "podLogsDir": str(home / "pod-logs"),
            }
        )
    )
    kubectl(
        home,
        "create",
        "clusterrolebinding",
        "kubelet-api",
        "--clusterrole=system:kubelet-api-admin",
        "--user=kube-apiserver",
    )
    parts.start(
        "kubelet",
        BIN / "kubelet",
        f"--config={home / 'kubelet.json'}",
        f"--kubeconfig={home / 'node.kubeconfig'}",
        "--hostname-override=node0",
        f"--node-ip={BRIDGE}",
        f"--root-dir={home / 'kubelet'}",
        f"--cert-dir={home / 'kubelet-pki'}",
    )
    parts.wait(
        "node0",
        lambda: (
            "True"
            in kubectl(home, "get", "node", "node0", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}")
        ),
        90,
    )


def pause_image(home: pathlib.Path) -> pathlib.Path:
    """A docker-archive holding one static binary that sleeps until it is told to stop."""
    import hashlib
    import io
    import tarfile

    src, exe = home / "pause.c", home / "pause"
    src.write_text(
        "#include <signal.h>\n#include <unistd.h>\nstatic void stop(int s){_exit(0);}\n"
        "int main(void){signal(SIGINT,stop);signal(SIGTERM,stop);for(;;)pause();}\n"
    )
    sh("gcc", "-static", "-Os", "-o", exe, src)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as t:
        t.add(exe, "pause")
    blob = layer.getvalue()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/pause"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(blob).hexdigest()]},
        }
    ).encode()
    out = home / "pause.tar"
    with tarfile.open(out, "w") as t:
        for name, data in {
            "layer.tar": blob,
            "config.json": config,
            "manifest.json": json.dumps(
                [{"Config": "config.json", "RepoTags": ["localhost/pause:1"], "Layers": ["layer.tar"]}]
            ).encode(),
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
    return out


def import_image(home: pathlib.Path, archive: pathlib.Path) -> None:
    sh("ctr", "-a", home / "containerd" / "containerd.sock", "-n", "k8s.io", "images", "import", archive)


def down(home: pathlib.Path) -> None:
    pids = json.loads((home / "pids.json").read_text())
    order = [
        "kueue",
        "kubelet",
        "containerd",
        "kwok",
        "kube-scheduler",
        "kube-controller-manager",
        "kube-apiserver",
        "etcd",
    ]
    if "containerd" in pids:
        sock = home / "containerd" / "containerd.sock"
        if "kubelet" in pids:
            os.kill(pids["kubelet"], signal.SIGTERM)
        for task in sh("ctr", "-a", sock, "-n", "k8s.io", "tasks", "ls", "-q").split():
            subprocess.run(["ctr", "-a", str(sock), "-n", "k8s.io", "tasks", "rm", "-f", task], capture_output=True)
    for name in order:
        if name in pids:
            try:
                os.kill(pids[name], signal.SIGTERM)
            except ProcessLookupError:
                pass


def main() -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("verb", choices=["up", "down"])
    p.add_argument("dir", type=pathlib.Path)
    p.add_argument("--kwok", type=int, default=0)
    p.add_argument("--node", action="store_true")
    a = p.parse_args()
    home = a.dir.resolve()
    if a.verb == "down":
        down(home)
        return 0
    parts = Parts(home)
    control_plane(home, parts)
    parts.wait("default service account", lambda: kubectl(home, "get", "serviceaccount", "default"))
    if a.kwok:
        kwok_nodes(home, parts, a.kwok)
    if a.node:
        real_node(home, parts)
    print(home / "admin.kubeconfig")
    return 0


if __name__ == "__main__":
    sys.exit(main())
