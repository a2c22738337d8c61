"""One process of a machine holds a cell, and loses it the moment it ends, however it ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import pytest

from experiment.claim import machine_claims

HOLDER = """
import sys
from experiment.store import open_store
with open_store(sys.argv[1]).claim("cell-1") as held:
    print(held, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def hold(store, monkeypatch, tmp_path):
    """Starts a process that holds cell-1 until it is killed."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    started = []

    def start() -> tuple[subprocess.Popen, bool]:
        pipe = subprocess.PIPE
        started.append(subprocess.Popen([sys.executable, "-c", HOLDER, store.url], stdin=pipe, stdout=pipe, text=True))
        return started[-1], started[-1].stdout.readline() == "True\n"

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_cell_is_held_by_one_process_until_that_is_killed(hold, store):
    first, first_holds = hold()
    _, second_holds = hold()

    assert (first_holds, second_holds) == (True, False)
    with store.claim("cell-1") as held, store.claim("cell-2") as other:
        assert (held, other) == (False, True)
    first.kill()
    first.wait()
    with store.claim("cell-1") as held:
        assert held


def test_a_claim_ends_with_its_block(store):
    for _ in range(2):
        with store.claim("cell-1") as held:
            assert held


def test_claims_are_no_objects_of_the_store(store):
    with store.claim("cell-1"):
        assert not list(store.list("results/"))


def test_stores_do_not_share_their_claims():
    assert machine_claims("s3://a/b") != machine_claims("s3://a/c")
