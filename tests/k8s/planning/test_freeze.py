"""A grid is frozen once, with where it came from."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from datetime import UTC, datetime

from experiment import keys
from experiment.grid import load_grid
from k8s.planning import freeze as module
from k8s.planning.freeze import freeze_grid, git_commit, launch_provenance

GRID = load_grid("smoke")


def test_the_first_launch_s_grid_stands(store):
    first = freeze_grid(store, "r", GRID, {"git_commit": "one"})
    second = freeze_grid(store, "r", GRID, {"git_commit": "two"})

    assert first == second
    assert second.provenance == {"git_commit": "one"}
    assert list(store.list("")) == [keys.grid("r")]


def test_launches_at_once_agree_on_one_grid(local_store):
    found = []

    def launch(name: str) -> None:
        found.append(freeze_grid(local_store, "r", GRID, {"git_commit": name}))

    threads = [threading.Thread(target=launch, args=(str(i),)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()

    assert len(found) == 8
    assert len({f.provenance["git_commit"] for f in found}) == 1


def test_the_same_cells_in_another_order_are_the_same_run(local_store):
    first = freeze_grid(local_store, "r", GRID, {})
    turned = load_grid("smoke").only(["method=single,ce,l2,l1"])
    turned = type(turned)(name="smoke", cells=turned.cells[::-1])

    assert freeze_grid(local_store, "r", turned, {}).grid == first.grid


def test_provenance_says_commit_image_and_time_in_utc(monkeypatch):
    monkeypatch.setenv("GIT_COMMIT", "abc")
    made = launch_provenance("registry/image@sha256:1")

    assert (made["git_commit"], made["image"]) == ("abc", "registry/image@sha256:1")
    assert abs((datetime.now(UTC) - datetime.fromisoformat(made["time"])).total_seconds()) < 60


def test_the_commit_is_read_from_the_suite_s_own_checkout(monkeypatch, tmp_path):
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    folder = tmp_path / "k8s" / "planning"
    folder.mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(shutil.copy(module.__file__, folder / "freeze.py")))
    assert git_commit() == "", "an installed copy knows no commit"
    me = ("git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.org")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "m"]):
        subprocess.run([*me, *command], check=True)

    assert re.fullmatch(r"[0-9a-f]{40}", git_commit())
    (folder / "freeze.py").write_text("changed")
    assert re.fullmatch(r"[0-9a-f]{40}-dirty", git_commit())
    monkeypatch.setenv("PATH", "/nowhere")
    assert git_commit() == ""
