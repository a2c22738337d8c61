"""Simulated time and processes: one thread runs at a time, and what it waits for decides when it runs again.

A task is a real thread that holds a baton; it hands the baton on whenever it waits. Which task is next depends on the
simulated times alone, so a schedule always runs in the same way.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from typing import Any

EVENTS = 60_000  # in one schedule: more means that it never ends
_idle: list[_Carrier] = []  # threads of earlier tasks, which later ones use


class Killed(BaseException):
    """The process of the running task is dead: nothing that it still does may have an effect."""


class Endless(AssertionError):
    """The simulated world does not come to rest."""


class Process:
    """A simulated process. ``skew`` is by how many seconds its machine's clock is wrong."""

    def __init__(self, name: str, machine: str = "", skew: float = 0.0, born: float = 0.0) -> None:
        self.name, self.machine, self.skew, self.born = name, machine, skew, born
        self.dead, self.frozen_until = False, 0.0
        self.tasks: list[Task] = []
        self.pod: Any = None  # that it is the process of


class _Carrier(threading.Thread):
    """A thread that carries one task after another."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.baton = threading.Lock()
        self.baton.acquire()
        self.task: Task
        self.start()

    def run(self) -> None:
        while True:
            self.baton.acquire()
            task = self.task
            task.run()
            _idle.append(self)
            task.kernel.hand_on()


class Task:
    """One thread of a process. ``error`` is what ended it, unless it was the death of its process."""

    def __init__(self, kernel: Kernel, process: Process, function: Callable[[], Any]) -> None:
        self.kernel, self.process, self._function = kernel, process, function
        self.token, self.done, self.error = 0, False, None
        self.value: Any = None
        self.waiters: list[Task] = []
        self.carrier = _idle.pop() if _idle else _Carrier()
        self.carrier.task = self

    def run(self) -> None:
        try:
            if not self.process.dead:
                self.value = self._function()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            self.error = error
        self.done = True
        for waiter in self.waiters:
            self.kernel.wake(waiter)


class Kernel:
    """The clock and the tasks that wait for it."""

    def __init__(self) -> None:
        self.now, self.current = 0.0, None
        self._queue: list[tuple[float, int, Any, int]] = []
        self._numbers, self._events = itertools.count(), 0
        self._main = threading.Lock()
        self._main.acquire()
        self.failure: BaseException | None = None

    def call_at(self, time: float, function: Callable[[], None]) -> None:
        """Has something done at a time that needs no waiting."""
        heapq.heappush(self._queue, (max(time, self.now), next(self._numbers), function, -1))

    def spawn(self, process: Process, function: Callable[[], Any]) -> Task:
        """Starts a thread of a process."""
        task = Task(self, process, function)
        process.tasks.append(task)
        self.wake(task)
        return task

    def wake(self, task: Task, seconds: float = 0.0) -> None:
        """Has the task run again after so many seconds and not before."""
        task.token += 1
        heapq.heappush(self._queue, (self.now + seconds, next(self._numbers), task, task.token))

    def kill(self, process: Process) -> None:
        """Ends a process at once, without any of its last words."""
        process.dead = True
        for task in process.tasks:
            if not task.done and task is not self.current:
                self.wake(task)

    def sleep(self, seconds: float) -> None:
        """Lets the running task wait."""
        self.check_alive()
        self.wake(self.current, seconds)
        self._wait()

    def join(self, task: Task) -> Any:
        """Lets the running task wait for another; returns its value or raises its error."""
        self.check_alive()
        while not task.done:
            task.waiters.append(self.current)
            self._wait()
        if task.error:
            raise task.error
        return task.value

    def check_alive(self) -> None:
        """Raises if the running task's process is dead."""
        if self.current.process.dead:
            raise Killed

    def run(self) -> None:
        """Runs until nothing waits for a time any more. Called from outside of all tasks."""
        self.current = None
        self.hand_on()
        self._main.acquire()
        if self.failure:
            raise self.failure

    def end(self) -> None:
        """Lets the threads of dead processes end, after a failure too."""
        self.failure, self._events = None, 0
        self.run()

    def hand_on(self) -> None:
        """Gives the baton to the next task, or back to the caller of ``run``."""
        task = self._next()
        (task.carrier.baton if task else self._main).release()

    def _wait(self) -> None:
        mine, following = self.current, self._next()
        if following is not mine:
            (following.carrier.baton if following else self._main).release()
            mine.carrier.baton.acquire()
        self.check_alive()

    def _next(self) -> Task | None:
        self.current = None
        try:
            while self._queue:
                time, _, what, token = heapq.heappop(self._queue)
                if token >= 0 and (what.done or token != what.token):
                    continue
                if token >= 0 and what.process.frozen_until > time and not what.process.dead:
                    self._push_again(what)
                    continue
                self.now = max(self.now, time)
                self._events += 1
                if self._events > EVENTS:
                    raise Endless(f"more than {EVENTS} events")
                if token < 0:
                    what()
                    continue
                self.current = what
                return what
        except BaseException as error:  # noqa: BLE001 - it ends the simulation, in the thread that began it
            self.failure = error
        return None

    def _push_again(self, task: Task) -> None:
        heapq.heappush(self._queue, (task.process.frozen_until, next(self._numbers), task, task.token))
