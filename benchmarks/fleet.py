"""Plays the trainers of a thousand simulated pods: each runs for a moment, then commits, fails or is lost with its node."""

from __future__ import annotations

import hashlib
import heapq
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from experiment.errors import ExperimentError
from k8s.cluster.kube import MERGE, Kube
from k8s.manifests import jobs, names

FAILURES = "batch.kubernetes.io/job-index-failure-count"
CODES = {"commit": 0, "fail": 75, "fail after commit": 137}


def chance(*what: object) -> float:
    """A number from 0 to 1 that depends on nothing but ``what``: every run draws the same lots."""
    return int(hashlib.sha256(repr(what).encode()).hexdigest()[:8], 16) / 2**32


@dataclass
class Fleet:
    """The pods of one Job.

    Attributes:
        commit: what a pod does before it succeeds, told its index and uid.
        failing: share of indexes whose first pod to come to its end fails, half of them after their commit. No index fails
            twice: its doubled back-off would be all that is measured.
        seconds: shortest and longest time that a pod runs.
        ends: how pods ended.
        gone: names of lost nodes: what ran there ends no more, until the garbage collector finds it.
    """

    kube: Kube
    job: str
    commit: Callable[[int, str], None]
    failing: float = 0.0
    seconds: tuple[float, float] = (10.0, 20.0)
    ends: Counter[str] = field(default_factory=Counter)
    gone: set[str] = field(default_factory=set)
    _due: list[tuple[float, str, int, int, str]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _failed: set[int] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, until: Callable[[], bool]) -> float:
        """Plays until ``until`` is true; the seconds that took."""
        began = time.monotonic()
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        with ThreadPoolExecutor(6) as hands:
            checked = 0.0
            while True:
                now = time.monotonic()
                while self._due and self._due[0][0] <= now:
                    hands.submit(self._end, *heapq.heappop(self._due)[1:])
                if now - checked > 0.5:
                    checked = now
                    if until():
                        break
                time.sleep(0.01)
        took = time.monotonic() - began
        self._stop.set()
        watcher.join()
        return took

    def _watch(self) -> None:
        """Sees every pod of the Job that turns Running, once."""
        while not self._stop.is_set():
            query = {
                "labelSelector": f"{names.JOB}={self.job}",
                "fieldSelector": "status.phase=Running",
                "watch": "1",
                "timeoutSeconds": "5",
            }
            for event in self.kube.watch(query):
                pod = event["object"]
                if event["type"] in ("ADDED", "MODIFIED") and pod["metadata"]["uid"] not in self._seen:
                    self._seen.add(pod["metadata"]["uid"])
                    index, failed = (
                        int(jobs.label_of(pod, names.INDEX)),
                        int(pod["metadata"]["annotations"].get(FAILURES, 0)),
                    )
                    low, high = self.seconds
                    due = time.monotonic() + low + (high - low) * chance("time", index, failed)
                    heapq.heappush(self._due, (due, jobs.object_name(pod), index, failed, pod["metadata"]["uid"]))

    def _end(self, pod: str, index: int, failed: int, uid: str) -> None:
        lot = 1.0 if index in self._failed else chance("failure", index)
        end = "commit" if lot >= self.failing else "fail" if lot < self.failing / 2 else "fail after commit"
        try:
            found = self.kube.get("Pod", pod)
            if (
                found["spec"].get("nodeName") in self.gone
                or found["status"]["phase"] != "Running"
                or "deletionTimestamp" in found["metadata"]
            ):
                self.ends["lost"] += 1
                return
            if end != "commit":
                self._failed.add(index)
            if end != "fail":
                self.commit(index, uid)
            how = {"exitCode": CODES[end], "reason": "Error" if CODES[end] else "Completed"}
            status = {"phase": "Failed" if CODES[end] else "Succeeded",
                      "containerStatuses": [{"name": "trainer", "image": "i", "imageID": "", "ready": False, "restartCount": 0, "state": {"terminated": how}}]}  # fmt: skip
            self.kube.request(
                "PATCH", f"{self.kube.path('Pod', pod)}/status", {}, json.loads(json.dumps({"status": status})), MERGE
            )
            self.ends[end] += 1
        except ExperimentError:  # gone with its node in this very moment
            self.ends["lost"] += 1
