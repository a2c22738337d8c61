"""The disk of the store, or of the scratch folder, is full for a while: one line, 75, nothing torn; with room it goes on."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from experiment import keys, outage
from experiment.errors import Transient
from experiment.store import LocalStore
from trainer.attempt import attempt_cell
from trainer.model import export, training
from trainer.options import AttemptOptions
from trainer.verify_resume import differing_columns

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a small disk is mounted by root")
SIZE = 2 * 1024 * 1024


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(training, "SECONDS_PER_CALL", 0.0)
    monkeypatch.setattr(outage, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(outage, "LONGEST_PAUSE", 0.5)


@pytest.fixture
def disk(tmp_path):
    """A disk of 2 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def fill(disk: Path) -> Path:
    """A file that leaves no room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 65536)
        except OSError:
            return filler


@pytest.fixture
def options(disk, tiny):
    def make(**fields):
        store = LocalStore(disk / "store", create=True)
        known = {"store": store, "attempt": "only", "load": lambda _: tiny, "stopping": lambda: False}
        return AttemptOptions(**{**known, "checkpoint_seconds": 0.0, **fields})

    return make


def leftovers(store):
    """Files that are no objects of the store: half written, or aside."""
    files = {p.relative_to(store.root).as_posix() for p in store.root.rglob("*") if p.is_file()}
    return {f for f in files - set(store.list("")) if not f.startswith("claims/")}


def test_a_store_without_room_is_waited_out_and_then_the_cell_is_committed_whole(
    options, disk, local_store, make_cell, tiny, capsys
):
    filled = []

    def show(progress):
        if progress.step >= 4 and not filled:
            filled.append(fill(disk))
            threading.Timer(6, filled[0].unlink).start()

    made = options(show=show, outage_seconds=120.0)
    assert attempt_cell(make_cell(), made) == "committed"

    err = capsys.readouterr().err
    assert "was not kept: " in err
    assert "No space left on device; free space" in err
    calm = AttemptOptions(store=local_store, attempt="calm", load=lambda _: tiny, stopping=lambda: False)
    assert attempt_cell(make_cell(), calm) == "committed"
    assert differing_columns(make_cell(), local_store, made.store) == []
    assert leftovers(made.store) == set()


def test_a_store_that_stays_full_is_one_line_and_75_and_the_next_attempt_commits(options, disk, make_cell):
    made = options()
    filler = fill(disk)
    with pytest.raises(Transient, match=r"No space left on device; free space or mend the disk") as full:
        attempt_cell(make_cell(), made)

    assert (full.value.exit_code, len(str(full.value).splitlines())) == (75, 1)
    assert leftovers(made.store) == set()
    filler.unlink()
    assert attempt_cell(make_cell(), options(attempt="next")) == "committed"
    assert len(list(made.store.list(keys.MODELS))) == len(make_cell().members)


def test_a_scratch_folder_without_room_is_one_line_and_75_before_the_training(
    options, disk, make_cell, local_store, monkeypatch
):
    export.rehearse_export.cache_clear()
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    monkeypatch.setattr(training, "train_cell", None)
    fill(disk)
    with pytest.raises(Transient, match=r"model.keras cannot be written .*No space left on device.*set TMPDIR"):
        attempt_cell(make_cell(), options(store=local_store))
