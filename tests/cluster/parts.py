"""Child processes of a test cluster: started with a log each, waited for, remembered, killed and started again, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(os.environ.get("CLUSTER_BIN", HERE / "bin"))
BRIDGE = "10.244.0.1"  # the node's own address on the pod bridge: where pods reach servers of this machine


def sh(*args: object, stdin: str | None = None) -> str:
    """What a command writes.

    Raises:
        RuntimeError: it failed; its errors are the text.
    """
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, input=stdin, check=False)
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(str(a) for a in args)}: exit code {done.returncode}: {done.stderr.strip()[-2000:]}"
        )
    return done.stdout


def kubectl(home: pathlib.Path, *args: object, stdin: str | None = None) -> str:
    """What kubectl writes, as the cluster's administrator."""
    return sh(BIN / "kubectl", f"--kubeconfig={home / 'admin.kubeconfig'}", *args, stdin=stdin)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


class Parts:
    """Starts child processes, and remembers their process ids in ``DIR/pids.json``, their commands in ``DIR/commands.json``."""

    def __init__(self, home: pathlib.Path) -> None:
        self.home = home
        self.pids: dict[str, int] = self._recall("pids")
        self.commands: dict[str, list[str]] = self._recall("commands")
        (home / "log").mkdir(parents=True, exist_ok=True)

    def start(self, name: str, *command: object) -> None:
        """Starts a part in a session of its own: Ctrl-C in the terminal does not reach it."""
        with (self.home / "log" / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [str(c) for c in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        child.returncode = 0  # it outlives this process: nobody here waits for it
        self.pids[name], self.commands[name] = child.pid, [str(c) for c in command]
        self._remember()

    def kill(self, name: str) -> None:
        """Kills a part outright, as a machine does that loses power."""
        pid = self.pids.pop(name)
        os.kill(pid, signal.SIGKILL)
        self._remember()
        while _alive(pid):
            time.sleep(0.01)

    def start_again(self, name: str) -> None:
        """Starts a part that was killed: the same command, on the same data."""
        self.start(name, *self.commands[name])

    def _recall(self, what: str) -> dict[str, Any]:
        known = self.home / f"{what}.json"
        found: dict[str, Any] = json.loads(known.read_text()) if known.exists() else {}
        return found

    def _remember(self) -> None:
        (self.home / "pids.json").write_text(json.dumps(self.pids))
        (self.home / "commands.json").write_text(json.dumps(self.commands))

    def wait(self, what: str, ready: Callable[[], object], seconds: float = 180) -> None:
        """Waits until ``ready`` returns something true.

        Raises:
            TimeoutError: it does not; the last error is the cause.
        """
        deadline, last = time.monotonic() + seconds, None
        while time.monotonic() < deadline:
            try:
                if ready():
                    return
            except (OSError, RuntimeError) as error:
                last = error
            time.sleep(0.1)
        raise TimeoutError(f"{what} not ready after {seconds} s; see {self.home / 'log'}") from last

    def wait_for_definitions(self) -> None:
        """Waits until the server knows every resource definition. kubectl does not wait for one so new that it has no status."""
        self.wait(
            "the resource definitions",
            lambda: kubectl(self.home, "wait", "--for=condition=Established", "crd", "--all"),
        )

    def stop(self, names: Iterable[str], seconds: float = 10) -> None:
        """Asks these parts to end, and kills those that do not."""
        pids = [self.pids.pop(name) for name in names if name in self.pids]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while any(map(_alive, pids)) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in filter(_alive, pids):
            os.kill(pid, signal.SIGKILL)
        self._remember()


def _alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        if os.waitpid(pid, os.WNOHANG) != (0, 0):  # a child of ours that ended
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
