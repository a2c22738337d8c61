"""Has the data sets of a run prepared in the store before cells are trained."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from experiment.cell import Cell
from experiment.errors import PERMANENT, InvalidInput, Transient, kind_of
from experiment.prepared import check_origin, read_manifest
from experiment.store import Store
from k8s.local.display import Screen
from k8s.local.process import run_interruptible, run_to_end
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


def prepare_own_data(cells: Iterable[Cell], grid_file: str, store: Store, programs: Programs) -> None:
    """Puts the data sets of the user's own that these cells need into the store, whatever will train them.

    Pods cannot see the files of this machine, so a launch on a cluster does this, too, before it asks for a node.

    Raises:
        InvalidInput: a file is not what the grid says, or the store has another data set of its name.
        Transient: it could not be downloaded or stored, for a reason that may pass.
    """
    for name, own in {c.dataset: c.data for c in cells if c.data}.items():
        manifest = read_manifest(store, name)
        if manifest:
            check_origin(manifest, own.sha256, store.url)
            continue
        work = run_to_end(programs.prepare(name, store.url, grid_file), programs.environment(), _say)
        code, last = run_interruptible(work, lambda: None, lambda: None)
        if code:
            kind = InvalidInput if kind_of(code) in PERMANENT else Transient
            raise kind(last.removeprefix("error: ") or f"the preparation of {name} ended with exit code {code}")


def _say(line: str) -> None:
    if not line.startswith("error: "):  # which is raised
        print(line, flush=True)
