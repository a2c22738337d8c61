"""One warm worker: a trainer process that reads indexes on standard input and answers with records on standard output."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence

from experiment import records
from experiment.errors import InvalidInput
from experiment.records import Outcome, Progress
from k8s.local import process
from k8s.local.process import LINE

TAIL = 20  # lines of a worker's standard error that are kept for the case that it dies


class Died(Exception):
    """The worker ended before it said how its cell ended.

    Attributes:
        code: its exit code; negative: the signal that killed it.
        message: one line.
        last_words: the last line that it wrote.
    """

    def __init__(self, code: int, last_words: str) -> None:
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        hint = " (out of memory?)" if code == -signal.SIGKILL else ""
        self.last_words = last_words
        self.code, self.message = code, f"its worker {how}{hint}" + f": {last_words}" * bool(last_words)
        super().__init__(self.message)


class Worker:
    """A running trainer process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin and process.stdout and process.stderr
        self._process, self._in, self._out = process, process.stdin, process.stdout
        self._tail: deque[str] = deque(maxlen=TAIL)
        self._listener = asyncio.create_task(self._listen(process.stderr))
        self.answered = False  # whether it has ever said anything

    @classmethod
    async def start(cls, command: Sequence[str], env: Mapping[str, str]) -> Worker:
        """Returns a new worker, in a session of its own."""
        return cls(await process.start_program(command, env))

    async def train(self, index: int) -> AsyncIterator[Progress | Outcome]:
        """Has the cell trained; yields its progress, then its outcome.

        Raises:
            Died: the process ended first.
        """
        with contextlib.suppress(ConnectionError):  # it has died: reading says how
            self._in.write(f"{index}\n".encode())
            await self._in.drain()
        while line := await self._out.readline():
            try:
                record = records.parse_record(line, "a line of the trainer")
            except InvalidInput:
                continue  # a library printed to standard output
            self.answered = True
            if isinstance(record, Progress):
                yield record
            if isinstance(record, Outcome) and record.index == index:
                yield record
                return
        code = await self._process.wait()
        await self._listener
        raise Died(code, self.last_words())

    def last_words(self) -> str:
        """Returns the last line of its standard error that is not blank."""
        return next((" ".join(t.split()) for t in reversed(self._tail) if t.strip()), "")

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        while chunk := await stderr.read(LINE):
            self._tail.extend(chunk.decode(errors="replace").splitlines())

    async def end(self, grace: float, *, stop: bool) -> None:
        """Ends the process by ``quit`` or, with ``stop``, by SIGTERM; kills it if it has not ended after ``grace`` seconds."""
        with contextlib.suppress(ProcessLookupError, ConnectionError):
            if stop:
                self._process.send_signal(signal.SIGTERM)
            else:
                self._in.write(b"quit\n")
            self._in.close()
        try:
            await asyncio.wait_for(self._drain(), grace)
        except TimeoutError:
            self.kill()
            await self._drain()

    def kill(self) -> None:
        """Kills the process and all that it started."""
        process.kill_program(self._process)

    async def _drain(self) -> None:
        """Reads to the end, because a process whose pipe is full cannot end."""
        while await self._out.read(LINE):
            pass
        await self._process.wait()
        await asyncio.shield(self._listener)
