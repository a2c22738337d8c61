"""Cancelling deletes the unfinished Jobs of a run and leaves its collecting Job."""

from __future__ import annotations

from k8s import cancel
from k8s.manifests import names

COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}


def add(api, name, part, run="mine", **status):
    api.add("jobs", {"metadata": {"name": name, "labels": names.run_labels(run, part)}, "spec": {}, "status": status})


def test_trainers_and_preparation_are_deleted_and_the_report_is_still_made(api, launched, capsys):
    add(api, "mine-digits-1", names.TRAINER)
    add(api, "mine-digits-0", names.TRAINER, **COMPLETE)
    add(api, "mine-prepare-digits", names.PREPARE)
    add(api, "mine-collect-1", names.COLLECT)
    add(api, "yours-digits-1", names.TRAINER, run="yours")

    assert cancel.main(["--run", f"{launched.url}/runs/mine"]) == 0
    assert sorted(api.names("jobs")) == ["mine-collect-1", "mine-digits-0", "yours-digits-1"]
    assert "cancelled 2 Jobs" in capsys.readouterr().out
