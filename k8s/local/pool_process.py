"""The trainer's pool as a process: it is sent indexes on standard input and answers with records on standard output."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from experiment import records
from experiment.errors import InvalidInput
from experiment.records import Outcome, Progress, Turn
from k8s.local.process import LINE, kill_program, start_program

TAIL = 20  # lines of its standard error that are kept, for its last words
GRACE = 10.0  # seconds in which the workers save their checkpoints when they are told to stop
LAST = 2.0  # seconds in which the pool kills those that have not


class PoolProcess:
    """A running pool."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._process, self._in, self._out = process, process.stdin, process.stdout
        self._tail: deque[str] = deque(maxlen=TAIL)
        self._listener = asyncio.create_task(self._listen(process.stderr))

    @classmethod
    async def start(cls, command: Sequence[str], env: Mapping[str, str]) -> PoolProcess:
        """Returns a new pool, in a session of its own: a Ctrl-C in the terminal reaches the launcher alone."""
        return cls(await start_program(command, env))

    def send(self, indexes: Iterable[int]) -> None:
        """Has cells tried: those of one call wait for a worker together."""
        line = " ".join(map(str, indexes))
        if line:
            self._in.write(f"{line}\n".encode())

    def quit(self) -> None:
        """Has the pool end, once no cell waits for a worker."""
        self._in.write(b"quit\n")

    async def records(self) -> AsyncIterator[Turn | Progress | Outcome]:
        """Yields what the pool tells, until it ends."""
        while line := await self._out.readline():
            with contextlib.suppress(InvalidInput):  # a library printed to standard output
                record = records.parse_record(line, "a line of the trainer")
                if isinstance(record, Turn | Progress | Outcome):
                    yield record

    async def end(self) -> tuple[int, str]:
        """Returns the exit code, negative for the signal that killed the pool, and its last words."""
        code = await self._process.wait()
        await self._listener
        last = next((" ".join(t.split()) for t in reversed(self._tail) if t.strip()), "")
        return code, last.removeprefix("error: ")

    async def stop(self) -> None:
        """Has the workers save their checkpoints and end; kills what has not ended ``GRACE`` seconds later."""
        ended = asyncio.ensure_future(self._drain())
        for seconds in (GRACE, LAST):
            self.signal()
            await asyncio.wait([ended], timeout=seconds)
            if ended.done():
                return
        kill_program(self._process)
        await ended

    def signal(self) -> None:
        """Tells the pool to stop; a second time, to kill its workers."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        while chunk := await stderr.read(LINE):
            self._tail.extend(chunk.decode(errors="replace").splitlines())

    async def _drain(self) -> None:
        """Reads to the end, because a process whose pipe is full cannot end."""
        while await self._out.read(LINE):
            pass
        await self._process.wait()
        await self._listener
