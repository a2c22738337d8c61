"""The way of a request to the store or the cluster and back, and the faults that it meets there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import botocore.exceptions as boto

from experiment.errors import ExperimentError, Transient
from tests.simulation.kernel import Kernel, Process
from tests.simulation.schedule import DURATIONS, ERRORS, LATENCIES, Fault, Schedule
from tests.simulation.store import server_error

TIMEOUT_SECONDS = 50.0  # of a client that gets no answer


class Network:
    """Carries the requests of all processes, and numbers them.

    Attributes:
        outages: (begin, end, error) of the store.
    """

    def __init__(self, kernel: Kernel, schedule: Schedule, trace: Callable[..., None]) -> None:
        self._kernel, self._latencies, self._trace = kernel, schedule.latencies, trace
        self._faults = {f.request: f for f in schedule.faults}
        outages = [(10.0 * e.time, DURATIONS[e.size], e.kind) for e in schedule.events if e.kind in ERRORS]
        self.outages = [(begin, begin + seconds, error) for begin, seconds, error in outages]
        self.requests = 0

    def travel(self, process: Process, operation: str, key: str, effect: Callable[[], Any]) -> Any:
        """Returns the answer to a request whose effect on the other side is this function."""
        kernel = self._kernel
        kernel.check_alive()
        fault = self._faults.pop(self._request_of(operation, key), Fault(0, ""))
        half = LATENCIES[self._latencies[self.requests % len(self._latencies)]]
        self._trace(process, f"#{self.requests} {operation}", key, fault.kind)
        self.requests += 1
        kernel.sleep(half)
        self._befall(process, fault, "before")
        self._refuse_in_outage(operation)
        if fault.kind in ("refused", "delayed"):
            if fault.kind == "delayed":
                kernel.call_at(kernel.now + DURATIONS[fault.size], lambda: self._arrive_late(key, effect))
            self._time_out(process, operation)
        answer, error = None, None
        try:
            answer = effect()
        except (boto.ClientError, ExperimentError) as refusal:
            error = refusal
        self._befall(process, fault, "after")
        if fault.kind == "lost":
            self._time_out(process, operation)
        if fault.kind == "late":
            self._hold_up(process, "late", TIMEOUT_SECONDS)
            kernel.sleep(TIMEOUT_SECONDS)
        kernel.sleep(half)
        if error:
            raise error
        return answer

    def _request_of(self, operation: str, key: str) -> int | str:
        """By what a fault names this request."""
        named = (r for r in self._faults if isinstance(r, str) and all(w in f"{operation} {key}" for w in r.split()))
        return next(named, self.requests)

    def _time_out(self, process: Process, operation: str) -> None:
        self._hold_up(process, "no answer", TIMEOUT_SECONDS)
        self._kernel.sleep(TIMEOUT_SECONDS)
        if operation[0].isupper():
            raise boto.ReadTimeoutError(endpoint_url="http://simulated")
        raise Transient(f"{operation}: the API server does not answer; launch again later")

    def _arrive_late(self, key: str, effect: Callable[[], Any]) -> None:
        self._trace(None, "arrives late", key)
        with contextlib.suppress(boto.ClientError, ExperimentError):
            effect()

    def _refuse_in_outage(self, operation: str) -> None:
        now = self._kernel.now
        error = next((error for begin, end, error in self.outages if begin <= now < end), None)
        if error is None or not operation[0].isupper():  # the cluster's API is not the store
            return
        if error == "away":
            raise boto.EndpointConnectionError(endpoint_url="http://simulated")
        raise server_error(error, operation)

    def _hold_up(self, process: Process, kind: str, seconds: float) -> None:
        if process.pod:
            process.pod.faults.append(kind)
            process.pod.delays += seconds

    def _befall(self, process: Process, fault: Fault, when: str) -> None:
        kind, _, moment = fault.kind.partition(" ")
        if moment != when:
            return
        seconds = DURATIONS[fault.size] if kind in ("stall", "leave") else 0.0
        self._hold_up(process, kind, seconds)
        if kind == "kill" or (kind == "evict" and not process.pod):
            process.pod.kill() if process.pod else self._kernel.kill(process)
        elif kind == "evict":
            process.pod.evict()
        elif kind == "leave" and process.pod:
            process.pod.leave(seconds)
        else:
            process.frozen_until = self._kernel.now + seconds
        self._kernel.sleep(0.0)  # here it dies, or stands still
