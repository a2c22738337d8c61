"""Has the data sets of a run prepared in the store before cells are trained."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from experiment.errors import PERMANENT, kind_of
from k8s.local.display import Screen
from k8s.local.process import run_to_end
from k8s.local.programs import Programs

ATTEMPTS = 3
BACK_OFF = 2.0  # seconds before the second attempt; doubled for the third


async def prepare_datasets(names: Iterable[str], store_url: str, programs: Programs, screen: Screen) -> dict[str, str]:
    """Prepares each data set that the store lacks; returns by name why some could not be prepared."""
    reasons = {name: await _prepare(name, store_url, programs, screen) for name in names}
    return {name: reason for name, reason in reasons.items() if reason}


async def _prepare(name: str, store_url: str, programs: Programs, screen: Screen) -> str:
    for attempt in range(1, ATTEMPTS + 1):
        code, last = await run_to_end(programs.prepare(name, store_url), programs.environment(), screen.note)
        if code == 0:
            return ""
        if kind_of(code) in PERMANENT or attempt == ATTEMPTS:
            break
        await asyncio.sleep(BACK_OFF * 2 ** (attempt - 1))
    return f"data set {name}: {last.removeprefix('error: ') or f'its preparation ended with exit code {code}'}"
