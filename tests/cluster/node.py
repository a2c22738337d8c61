"""This machine as one real node of a test cluster: containerd, runc, a bridge for the pods, and the kubelet. Needs root.

What it needs of Debian 12: apt-get install containerd runc containernetworking-plugins iproute2 iptables gcc libc6-dev
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import signal
import time
from urllib.parse import urlsplit

from tests.cluster.parts import BIN, BRIDGE, Parts, free_port, kubectl, sh
from tests.cluster.pause import pause_image

NAME = "node0"
PARTS = ("kubelet", "containerd")  # in the order of stopping
PROGRAMS = ("containerd", "ctr", "runc", "ip", "iptables", "mount", "umount", "gcc")
KERNEL = pathlib.Path("/proc/sys")
CNI = pathlib.Path("/usr/lib/cni")
READY = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"


def missing() -> str:
    """What this machine lacks to be a node; empty if nothing."""
    programs = [p for p in PROGRAMS if not shutil.which(p)]
    built = [str(BIN / p) for p in ("kubelet",) if not (BIN / p).exists()]
    plugins = [str(CNI / p) for p in ("bridge", "host-local") if not (CNI / p).exists()]
    root = [] if os.geteuid() == 0 else ["root"]
    return ", ".join([*root, *programs, *plugins, *built])


def start(home: pathlib.Path, parts: Parts) -> None:
    """Joins this machine to the cluster at ``home``; ready when the API server says so."""
    sh("mount", "--make-rshared", "/")
    KERNEL.joinpath("net/ipv4/ip_forward").write_text("1")
    KERNEL.joinpath("fs/inotify/max_user_instances").write_text("1024")
    _network(home)
    _containerd(home, parts)
    import_image(home, pause_image(home))
    _kubelet(home, parts)


def _network(home: pathlib.Path) -> None:
    if not pathlib.Path("/sys/class/net/cni0").exists():  # the kubelet refuses a loopback address as its own
        sh("ip", "link", "add", "cni0", "type", "bridge")
        sh("ip", "addr", "add", f"{BRIDGE}/24", "dev", "cni0")
        sh("ip", "link", "set", "cni0", "up")
    (home / "cni").mkdir(exist_ok=True)
    bridge = {
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
    conflist = {"cniVersion": "0.4.0", "name": "bridge", "plugins": [bridge]}
    (home / "cni" / "10-bridge.conflist").write_text(json.dumps(conflist))


def _api_route(home: pathlib.Path) -> list[str]:
    """The rule by which pods reach the API server at the address of Service ``kubernetes``: there is no kube-proxy."""
    server = json.loads((home / "admin.kubeconfig").read_text())["clusters"][0]["cluster"]["server"]
    port = urlsplit(server).port
    return f"PREROUTING -d 10.0.0.1 -p tcp --dport 443 -j REDIRECT --to-ports {port}".split()


def _containerd(home: pathlib.Path, parts: Parts) -> None:
    run = home / "containerd"
    run.mkdir(exist_ok=True)
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
    bin_dir = "{CNI}"
    conf_dir = "{home}/cni"
""")
    parts.start("containerd", "containerd", "--config", home / "containerd.toml")
    parts.wait("containerd", lambda: ctr(home, "version"))
    # Before the rule of a cluster that was killed, which would lead nowhere.
    sh("iptables", "-w", "-t", "nat", "-I", *_api_route(home))


def _kubelet(home: pathlib.Path, parts: Parts) -> None:
    configuration = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",  # containerd 1.6 does not say which it uses
        "containerRuntimeEndpoint": f"unix://{home}/containerd/containerd.sock",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(home / "pki" / "ca.crt")},
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
    (home / "kubelet.json").write_text(json.dumps(configuration))
    binding = ("kubelet-api", "--clusterrole=system:kubelet-api-admin", "--user=kube-apiserver")
    kubectl(home, "create", "clusterrolebinding", *binding)
    parts.start(
        "kubelet",
        BIN / "kubelet",
        f"--config={home / 'kubelet.json'}",
        f"--kubeconfig={home / 'node.kubeconfig'}",
        f"--hostname-override={NAME}",
        f"--node-ip={BRIDGE}",
        f"--root-dir={home / 'kubelet'}",
        f"--cert-dir={home / 'kubelet-pki'}",
    )
    parts.wait(NAME, lambda: "True" in kubectl(home, "get", "node", NAME, "-o", READY))


def ctr(home: pathlib.Path, *args: object) -> str:
    """What containerd's own client writes, in the kubelet's namespace."""
    return sh("ctr", "--address", home / "containerd" / "containerd.sock", "--namespace", "k8s.io", *args)


def import_image(home: pathlib.Path, archive: pathlib.Path, name: str = "") -> None:
    """Makes the images of an archive known to the node: by the names in it, or as ``name`` with their digest."""
    by_digest = ["--digests", "--base-name", name] if name else []
    ctr(home, "images", "import", *by_digest, archive)


def kill_container(home: pathlib.Path, pod_uid: str, container: str) -> None:
    """Sends SIGKILL to the first process of a pod's container, as the kernel does when memory runs out."""
    labels = f'labels."io.kubernetes.pod.uid"=={pod_uid},labels."io.kubernetes.container.name"=={container}'
    found = ctr(home, "containers", "ls", "-q", labels)
    for task in found.split():
        ctr(home, "tasks", "kill", "--signal", "SIGKILL", task)


def stop(home: pathlib.Path, parts: Parts) -> None:
    """Ends the node's parts and what they started, and unmounts what they mounted; nothing where there is no node."""
    if not parts.pids.keys() & set(PARTS):
        return
    parts.stop(["kubelet"])
    with contextlib.suppress(RuntimeError):
        networks = _pod_networks(home)
        for task in ctr(home, "tasks", "ls", "-q").split():
            with contextlib.suppress(RuntimeError):
                ctr(home, "tasks", "rm", "--force", task)
        for network in networks:
            sh("ip", "netns", "delete", network)
    parts.stop(["containerd"])
    with contextlib.suppress(RuntimeError):
        sh("iptables", "-w", "-t", "nat", "-D", *_api_route(home))
    _stop_shims(home)
    _unmount(home)


def _pod_networks(home: pathlib.Path) -> set[str]:
    """The names of the pods' network namespaces."""
    found = set()
    for container in ctr(home, "containers", "ls", "-q").split():
        spec = json.loads(ctr(home, "containers", "info", container))["Spec"]
        places = [n.get("path", "") for n in spec["linux"]["namespaces"] if n["type"] == "network"]
        found |= {pathlib.Path(p).name for p in places if "/netns/" in p}  # a sandbox; its containers name a process
    return found


def _stop_shims(home: pathlib.Path) -> None:
    """A shim outlives containerd on purpose; those of this cluster are known by its socket in their arguments."""
    mark = str(home / "containerd" / "containerd.sock").encode()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name = (process / "comm").read_text()
            if name.startswith("containerd-shim") and mark in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
    time.sleep(0.2)


def _unmount(home: pathlib.Path) -> None:
    places = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((p for p in places if p.startswith(f"{home}/")), reverse=True):
        with contextlib.suppress(RuntimeError):
            sh("umount", "--lazy", place)
