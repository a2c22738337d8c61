"""A namespace on a real node: runs the project's commands as a user does, and kills or evicts the pods that they make."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from experiment.store import Store
from k8s.manifests import names
from tests.cluster import node
from tests.cluster.parts import kubectl
from tests.docker.built import ROOT, Image
from tests.waiting import until

SETTINGS = """
namespace = "{namespace}"
image = "{trainer}"
aggregator_image = "{aggregator}"
s3_endpoint = "{endpoint}"
gpus = 0
cpu = "600m"
memory = "2Gi"
scratch = "1Gi"
prepare_cpu = "100m"
prepare_memory = "1Gi"
collect_cpu = "100m"
collect_memory = "1Gi"
checkpoint_seconds = 2
refresh_seconds = 5

[env_secrets]
AWS_ACCESS_KEY_ID = "store/user"
AWS_SECRET_ACCESS_KEY = "store/password"
"""


class RealNamespace:
    """One namespace of the real node, set up by the project's own command, and the settings of its launches."""

    def __init__(self, home: Path, folder: Path, name: str, store: Store) -> None:
        self.home, self.folder, self.name, self.store = home, folder, name, store
        self.settings = folder / "cluster.toml"
        self.launched: subprocess.Popen[bytes] | None = None

    def set_up(self, images: dict[str, Image], endpoint: str, user: str, password: str) -> None:
        """Makes the namespace, the Secret for the store, and cluster.toml."""
        text = SETTINGS.format(
            namespace=self.name,
            endpoint=endpoint,
            trainer=images["trainer"].reference,
            aggregator=images["aggregator"].reference,
        )
        self.settings.write_text(text)
        assert self.run("k8s.setup", "--settings", self.settings, "--apply").returncode == 0
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "store", "namespace": self.name},
            "stringData": {"user": user, "password": password},
        }
        kubectl(self.home, "create", "-f", "-", stdin=json.dumps(secret))

    def tear_down(self) -> None:
        """Removes the namespace and waits until its containers are gone; a namespace by itself waits for its pods' long grace."""
        kubectl(self.home, "-n", self.name, "delete", "jobs", "--all", "--wait=false")
        kubectl(self.home, "-n", self.name, "delete", "pods", "--all", "--grace-period=1", "--timeout=150s")
        kubectl(self.home, "delete", "namespace", self.name, "--timeout=240s")

    def command(self, module: str, *arguments: object) -> list[str]:
        """A command of the project as a list."""
        return [sys.executable, "-m", module, *map(str, arguments)]

    def run(self, module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Runs a command of the project to its end; its output is kept, and shown if a test fails."""
        done = subprocess.run(
            self.command(module, *arguments),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"$ python -m {module} {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
        return done

    @contextlib.contextmanager
    def launch(self, *arguments: object, name: str = "launch") -> Iterator[subprocess.Popen[bytes]]:
        """``k8s.launch --wait`` as a process that runs while the block does; its output goes to ``NAME.log``.

        Args:
            arguments: further flags; of one that is given twice the last counts.
        """
        command = self.command(
            "k8s.launch", "--store", self.store.url, "--settings", self.settings, "--wait", *arguments
        )
        log = self.folder / f"{name}.log"
        with (
            log.open("wb") as file,
            subprocess.Popen(command, cwd=self.folder, env=self.environment(), stdout=file, stderr=file) as process,
        ):
            self.launched = process
            try:
                yield process
            finally:
                process.kill()
                print(f"$ {' '.join(command[1:])}\n{log.read_text()}")

    def environment(self) -> dict[str, str]:
        """The user's environment: the cluster's kubeconfig, and the store's keys (set by the store's fixture)."""
        return {**os.environ, "KUBECONFIG": str(self.home / "admin.kubeconfig"), "PYTHONPATH": str(ROOT)}

    def objects(self, kind: str, selector: str = "") -> list[dict]:
        """Objects of the namespace, oldest first."""
        found = kubectl(self.home, "-n", self.name, "get", kind, "-l", selector, "-o", "json")
        return sorted(json.loads(found)["items"], key=lambda o: o["metadata"]["creationTimestamp"])

    def pods(self, run: str, index: int | None = None) -> list[dict]:
        """The trainer pods of a run, or those of one of its indexes, oldest first."""
        selector = names.run_selector(run, names.TRAINER) + ("" if index is None else f",{names.INDEX}={index}")
        return self.objects("pods", selector)

    def running(self, run: str, index: int) -> dict:
        """The pod of an index whose trainer's container runs, once there is one."""

        def look() -> dict | None:
            running = (p for p in self.pods(run, index) if trainer(p).get("state", {}).get("running"))
            return next(running, None)

        return self.until(look, f"a running trainer of index {index}")

    def until(self, look: Callable[[], object], what: str, seconds: float = 180):
        """What ``look`` returns, once it is true."""

        def look_while_launched() -> object:
            found = look()
            if not found and self.launched and self.launched.poll():
                raise AssertionError(f"the launch ended with {self.launched.returncode} before {what}")
            return found

        def state() -> str:
            return kubectl(self.home, "-n", self.name, "get", "jobs,pods,events")

        return until(look_while_launched, what, seconds=seconds, state=state)

    def evict(self, pod: dict) -> None:
        """Has the Eviction API take the pod off the node, as a drain does."""
        meta = {"name": pod["metadata"]["name"], "namespace": self.name}
        path = f"/api/v1/namespaces/{self.name}/pods/{meta['name']}/eviction"
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta}
        kubectl(self.home, "create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))

    def strike(self, pod: dict) -> None:
        """Kills the trainer's process, as the kernel does when memory runs out."""
        node.kill_container(self.home, pod["metadata"]["uid"], "trainer")

    def ended(self, pod: dict) -> dict:
        """The pod with the end of its trainer's container in its status, once that has come."""
        name = pod["metadata"]["name"]

        def look() -> dict | None:
            here = [p for p in self.objects("pods") if p["metadata"]["name"] == name]
            return next((p for p in here if trainer(p).get("state", {}).get("terminated")), None)

        return self.until(look, f"the end of {name}")


def trainer(pod: dict) -> dict:
    """The status of a pod's trainer container; empty before there is one."""
    statuses = pod["status"].get("containerStatuses", [])
    return next((s for s in statuses if s["name"] == "trainer"), {})
