"""Settings of any kind, and records that somebody planted in the store, end no program with a traceback."""

from __future__ import annotations

import argparse
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment import keys
from k8s import logs, status
from k8s.manifests import sources
from k8s.manifests.settings import Settings
from k8s.planning.forecast import measured_speeds
from k8s.planning.survey import read_speeds
from tests.hostile import ANY_JSON, changed, quick, read_or_refused
from tests.k8s.cluster_objects import GRID

TEXTS = st.sampled_from(
    ["9" * 5_000, "nan", "1e999", "\u0661", "[::1]", "http://[", "http://[::1", "10.0.0.0/8:0", "::/0", "a=b"]
)
VARIABLES = st.sampled_from([f"{sources.PREFIX}{name.upper()}" for name in sources.FIELDS if name != "dataset"])
TABLE = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)
VALUES = ANY_JSON | TEXTS | TABLE | st.lists(st.text(max_size=5) | TEXTS, max_size=3).map(tuple)
SPEED = {
    "record": "throughput",
    "device": "T4",
    "dataset": "digits",
    "members": "ST+M",
    "precision": "float32",
    "time": "",
}
CELL, OTHER = GRID.cells[0].id, GRID.cells[2].id
PROGRESS = {"record": "progress", "cell": CELL, "attempt": "a", "epoch": 1, "epochs": 2, "step": 1, "steps": 2}
PROGRESS |= {"images_per_second": 1.0, "seconds_left": 2.0, "time": "2026-01-01T00:00:00+00:00"}
FAILURE = {
    "record": "failure",
    "cell": OTHER,
    "attempt": "a",
    "kind": "error",
    "exit_code": 1,
    "message": "m",
    "time": "",
}


@quick(150)
@given(st.dictionaries(st.sampled_from(sorted(sources.FIELDS)), VALUES, max_size=3))
def test_settings_are_accepted_or_refused(values):
    read_or_refused(lambda: Settings(**values))


@quick(100)
@given(st.dictionaries(VARIABLES, st.text(max_size=12) | TEXTS, max_size=3))
def test_variables_are_accepted_or_refused(tmp_path, environ):
    read_or_refused(lambda: sources.load_settings(argparse.Namespace(settings=None), environ, tmp_path))


@quick(25)
@given(changed({**SPEED, "images_per_second": 1.0}))
def test_a_planted_speed_is_used_or_named(local_store, fields):
    local_store.put(keys.throughput("planted"), json.dumps(fields).encode())

    speeds, problems = read_speeds(local_store)

    assert len(speeds) + len(problems) == 1
    measured_speeds(GRID, {}, speeds)


@quick(25)
@given(changed(PROGRESS), changed(FAILURE))
def test_planted_records_do_not_end_the_status(launched, capsys, progress, failure):
    launched.put(keys.progress(CELL), json.dumps(progress).encode())
    launched.put(keys.failure(OTHER, "a"), json.dumps(failure).encode())

    assert status.main(["--run", "mine", "--store", launched.url]) == 0

    said = capsys.readouterr()
    assert all(c.isprintable() or c == "\n" for c in said.out + said.err)


def test_a_progress_record_without_a_time_is_an_old_one(launched, capsys):
    launched.put(keys.progress(CELL), json.dumps({**PROGRESS, "time": "yesterday"}).encode())

    assert status.main(["--run", "mine", "--store", launched.url]) == 0
    assert "missing" in next(line for line in capsys.readouterr().out.splitlines() if CELL in line)


@pytest.mark.parametrize("planted", ["\x1b]0;title\x07", "\x1b[2J\r", "\x9b31m"])
def test_a_planted_log_cannot_steer_the_terminal(launched, capsys, planted):
    launched.put(keys.log(CELL, "a"), f'{{"line": 1}}\n\t{planted}\n'.encode())

    assert logs.main(["--run", "mine", "--store", launched.url, "--cell", CELL]) == 0

    said = capsys.readouterr().out
    assert '{"line": 1}\n\t\\x' in said
    assert all(c.isprintable() or c in "\n\t" for c in said)
