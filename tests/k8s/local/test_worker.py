"""A worker answers with records, and its end is told by its last words."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from experiment.records import Outcome, to_line
from k8s.local.worker import Died, Worker

DONE = to_line(Outcome(index=3, cell="c", state="committed"))


async def outcomes(code, index=3):
    worker = await Worker.start([sys.executable, "-c", code], os.environ)
    try:
        return [record async for record in worker.train(index)]
    finally:
        await worker.end(5, stop=True)


def test_what_is_no_record_is_passed_over():
    code = f"input(); print('chatter'); print({DONE!r}, flush=True); input()"

    assert [r.state for r in asyncio.run(outcomes(code))] == ["committed"]


def test_a_worker_that_ends_early_says_how():
    with pytest.raises(Died, match="ended with exit code 7: no such thing"):
        asyncio.run(outcomes("import sys; input(); print('no such thing\\n', file=sys.stderr); sys.exit(7)"))
    with pytest.raises(Died, match=r"killed by SIGKILL \(out of memory\?\)"):
        asyncio.run(outcomes("import os; input(); os.kill(os.getpid(), 9)"))
