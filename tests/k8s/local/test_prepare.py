"""Data sets are prepared one after the other, and one that fails does not stop the others."""

from __future__ import annotations

import asyncio
import sys

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
