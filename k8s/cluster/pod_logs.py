"""What the containers of pods have written, and what they write further."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from experiment.errors import ExperimentError
from k8s.cluster.kube import Kube
from k8s.manifests import jobs
from k8s.manifests.names import Manifest


@dataclass(frozen=True)
class Tail:
    """Reads the logs of containers from where the last call has left off."""

    _last: dict[tuple[str, str], str] = field(
        default_factory=dict
    )  # time of the last line that was read, by pod and container
    _read: set[str] = field(default_factory=set)  # pods that had ended when they were read

    def read_news(self, kube: Kube, pods: Iterable[Manifest]) -> Iterator[tuple[Manifest, str, str]]:
        """Yields pod, container and new text of every container that has written any, init containers first.

        A container that has not started, or whose node is gone, has written nothing.
        """
        for pod in pods:
            uid = str(pod["metadata"]["uid"])
            if uid in self._read:
                continue
            for container in (*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]):
                with contextlib.suppress(ExperimentError):
                    text = self._read_container(kube, uid, pod, container["name"])
                    if text:
                        yield pod, container["name"], text
            if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
                self._read.add(uid)

    def _read_container(self, kube: Kube, uid: str, pod: Manifest, container: str) -> str:
        # A kubelet that has lost a log says so in a line without a time: the container has not written that.
        last = self._last.get((uid, container), "")
        lines = [
            line.partition(" ") for line in kube.log(jobs.object_name(pod), container, last).splitlines(keepends=True)
        ]
        new = [(time, text) for time, _, text in lines if time[:1].isdigit() and _order(time) > _order(last)]
        if new:
            self._last[uid, container] = new[-1][0]
        return "".join(text for _, text in new)


def _order(time: str) -> tuple[str, str]:
    """Returns what sorts the times of a log's lines: fractions of a second may lack their last zeros."""
    seconds, _, fraction = time.partition(".")
    return seconds.rstrip("Z"), fraction.rstrip("Z").ljust(9, "0")
