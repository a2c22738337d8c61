"""Data sets are prepared one after the other, and one that fails does not stop the others."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import sys

import pytest

from experiment import keys
from experiment.cell import Cell
from experiment.errors import InvalidInput, Transient
from experiment.own_data import OwnData
from experiment.prepared import Manifest, SourceFile
from k8s.local import prepare
from k8s.local.programs import Programs

CODE = "import sys; name = sys.argv[2]; print(f'error: no {name}', file=sys.stderr); sys.exit({'a': 0, 'b': 42}[name])"


class Screen:
    def note(self, text):
        pass


def test_why_a_data_set_could_not_be_prepared_is_told_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "BACK_OFF", 0.01)
    programs = Programs(trainer=(sys.executable, "-c", CODE))

    found = asyncio.run(prepare.prepare_datasets(["a", "b"], str(tmp_path), programs, Screen()))

    assert found == {"b": "data set b: no b"}


FLOWERS = OwnData(sha256="ab" * 32, shape=(8, 8, 3), classes=3, train=30, test=30)
CELL = Cell(dataset="flowers", method="single", data=FLOWERS, batch_size=8)


@pytest.mark.parametrize(
    ("code", "kind", "words"), [(0, None, ""), (42, InvalidInput, "no such file"), (75, Transient, "no such file")]
)
def test_the_user_s_own_data_are_prepared_from_the_grid_file_or_the_launch_ends(
    local_store, tmp_path, code, kind, words
):
    script = f"import sys; open({str(tmp_path / 'seen')!r}, 'w').write(' '.join(sys.argv[1:])); print('error: no such file', file=sys.stderr); sys.exit({code})"
    programs = Programs(trainer=(sys.executable, "-c", script))
    with pytest.raises(kind, match=words) if kind else contextlib.nullcontext():
        prepare.prepare_own_data([CELL, Cell(dataset="digits", method="single")], "mine.toml", local_store, programs)

    assert (tmp_path / "seen").read_text() == f"--prepare flowers --store {local_store.url} --grid mine.toml"


def test_data_that_the_store_has_are_not_prepared_again_and_others_of_that_name_are_refused(local_store):
    source = SourceFile(name="flowers.npz", origin="flowers.npz", size=1, sha256=FLOWERS.sha256)
    digest = "cd" * 32
    made = Manifest(
        name="flowers",
        sha256=digest,
        key=keys.dataset("flowers", digest),
        train=30,
        test=30,
        shape=(8, 8, 3),
        source=(source,),
        skipped=0,
        created="2020-01-01T00:00:00Z",
    )
    local_store.put(keys.dataset_manifest("flowers"), made.to_bytes())
    programs = Programs(trainer=("/nowhere",))
    prepare.prepare_own_data([CELL], "mine.toml", local_store, programs)

    other = dataclasses.replace(CELL, data=dataclasses.replace(FLOWERS, sha256="ef" * 32))
    with pytest.raises(InvalidInput, match=r"rename the \[data\.flowers\]"):
        prepare.prepare_own_data([other], "mine.toml", local_store, programs)
