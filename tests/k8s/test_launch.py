"""The launcher's command line: what it refuses, in one line and without loss, and what it prints of a plan."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiment import keys
from experiment.grid import load_grid
from experiment.store import LocalStore
from tests.k8s.launching import Done, launch, refused

ROOT = Path(__file__).parent.parent.parent


def content(store: LocalStore) -> dict[str, str]:
    return {k: hashlib.sha256(store.read(k)).hexdigest() for k in store.list("")}


GRIDS = {
    "no toml": ("[base", "is not TOML", "correct that place"),
    "unknown table": ("[bsae]\n", "'bsae'", "allowed: base, data, dataset", "correct its name"),
    "empty": ("", "has no cell", "add a [[product]]"),
    "method": ("[[product]]\ndataset='digits'\nmethod='l3'", "'l3'", "single, ce, l2, l1", "correct it in the grid"),
    "dataset": ("[[product]]\ndataset='minst'\nmethod='single'", "'minst'", "digits, mnist, cifar10, cifar10standard"),
    "member": ("[[product]]\ndataset='digits'\nmethod='single'\nmembers=['ST','XL']", "'XL'", "ST, M", "[member.NAME]"),
    "negative alpha": ("[[product]]\ndataset='digits'\nmethod='l2'\nalpha=-1", "-1", "a finite number of at least 0"),
    "alpha of text": ("[[product]]\ndataset='digits'\nmethod='l2'\nalpha='big'", "'big'", "a finite number"),
    "alpha nan": ("[[product]]\ndataset='digits'\nmethod='l2'\nalpha=nan", "nan", "a finite number"),
    "alpha true": ("[[product]]\ndataset='digits'\nmethod='l2'\nalpha=true", "True", "a finite number"),
    "duplicates": (
        "[[product]]\ndataset='digits'\nmethod=['single','single']",
        "twice",
        "each cell once",
        "remove one",
    ),
    "count": ("expect=3\n[[product]]\ndataset='digits'\nmethod='single'", "is 1", "expect = 3", "correct the grid"),
    "odd size": (
        "[member.D]\nbricks=5\nblocks=1\nfilters=4\n[[product]]\ndataset='digits'\nmethod='single'\nmembers=['D']",
        "bricks of member D on digits (8x8 pixels) is 5",
        "use fewer bricks",
    ),
    "unknown setting": ("[base]\nlr=1\n[[product]]\ndataset='digits'\nmethod='single'", "'lr'", "learning_rate"),
    "missing setting": ("[[product]]\nmethod='single'", "lacks dataset"),
}


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_file_that_is_no_grid_is_refused(name, tmp_path):
    text, *words = GRIDS[name]
    (tmp_path / "my.toml").write_text(text)

    refused(launch("--grid", "my.toml", cwd=tmp_path), *words)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my.toml"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--grid", "dmeo"], ["'dmeo'", "demo, full", "or the path of a .toml file", "did you mean 'demo'?"]),
        (["--grid", "none.toml"], ["'none.toml'", "readable UTF-8 TOML file", "check the path"]),
        (["--grid", "demo", "--only", "colour=red"], ["'colour=red'", "FIELD=VALUE", "correct --only"]),
        (["--grid", "demo", "--only", "method=l3"], ["'method=l3'", "leaves a cell"]),
        (["--grid", "demo", "--run", "My_Run"], ["'My_Run'", "a-z, 0-9", "choose another --run"]),
        (["--grid", "demo", "--store", "http://host/x"], ["'http://host/x'", "s3://BUCKET/PREFIX", "correct --store"]),
        (["--grid", "demo", "--store", "/dev/null/store"], ["/dev/null/store", "choose a --store"]),
        (["--grid", "demo", "--store", "/proc/none/store"], ["/proc/none/store"]),
        (["--grid", "demo", "--store", "file.txt"], ["file.txt", "an existing directory"]),
        (["--grid", "demo", "--store", ""], ["the store is ''", ". for this directory"]),
        (["--grid", "demo", "--run", ""], ["the run's name is ''", "choose another --run"]),
        (["--grid", "demo", "--run", "A b", "--plan"], ["'A b'", "choose another --run"]),
        (["--grid", "demo", "--store", "a" * 300, "--plan"], ["File name too long", "choose a --store"]),
        (["--grid", "demo", "--store", "nowhere", "--plan"], ["nowhere is a link to", "which does not exist"]),
        (["--grid", "demo", "--seeds", "9" * 20], ["number of cells of grid 'demo'", "up to 100,000"]),
    ],
    ids=lambda v: " ".join(v) if "--grid" in v else "",
)
def test_an_argument_that_means_nothing_is_refused(argv, words, tmp_path):
    (tmp_path / "file.txt").write_text("")
    (tmp_path / "nowhere").symlink_to("no-such-directory")

    refused(launch(*argv, cwd=tmp_path), *words)


@pytest.mark.parametrize(("more", "code"), [(["--only", "method=l3"], 42), (["--seeds", "none"], 2), (["--plan"], 0)])
def test_from_a_shell_the_exit_code_and_the_lines_are_the_same(more, code, tmp_path):
    argv = ["--executor", "local", "--grid", "smoke", *more]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "k8s.launch", *argv]
    shell = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, timeout=60)

    assert shell.returncode == code
    assert Done(shell.returncode, shell.stdout, shell.stderr) == launch(*argv, cwd=tmp_path)


@pytest.mark.parametrize(
    "argv",
    [[], ["--grid", "demo", "--seeds", "0"], ["--grid", "demo", "--workers", "two"], ["--grid", "demo", "--gird"]],
    ids=" ".join,
)
def test_a_command_line_that_is_not_understood_ends_with_code_2_and_says_why(argv, tmp_path):
    done = launch(*argv, cwd=tmp_path)

    assert done.returncode == 2
    assert re.fullmatch(r"python -m k8s\.launch: error: .*; see --help\n", done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_plan_lists_cells_and_what_is_finished_and_changes_nothing(smoke, tmp_path):
    store, cell = smoke
    before = content(store)
    done = launch("--grid", "smoke", "--plan", "--store", store.root, cwd=tmp_path)
    lines = done.stdout.splitlines()

    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in lines[:4]] == [c.id for c in load_grid("smoke").cells]
    assert [line.split(None, 2)[2] for line in lines[:4]] == ["missing", "done", "missing", "missing"]
    assert lines[0].split()[0] == "0"
    assert lines[4].startswith("grid smoke: 4 cells, 1 done, 3 to train; about ")
    assert content(store) == before
    assert keys.epochs(cell) in before


def test_a_plan_of_a_store_that_is_not_there_does_not_make_it(tmp_path):
    done = launch("--grid", "full", "--plan", cwd=tmp_path)

    assert done.stdout.splitlines()[-1] == "grid full: 39 cells, 0 done, 39 to train"
    assert list(tmp_path.iterdir()) == []


def test_seeds_and_a_selection_make_the_grid(tmp_path):
    done = launch(
        "--grid",
        "full",
        "--plan",
        "--seeds",
        "3",
        "--only",
        "dataset=mnist",
        "--only",
        "method=l2,single",
        cwd=tmp_path,
    )

    assert done.stdout.splitlines()[-1] == "grid full: 15 cells, 0 done, 15 to train"


def test_the_user_s_own_grid_is_launched_from_its_file_and_lands_in_the_default_store(launcher, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    launcher.store = Path("store")
    code, lines, _ = launcher()

    assert code == 0
    assert lines[-1].startswith(f"{tmp_path}/sub/store/reports/six-")


@pytest.mark.parametrize(
    "name", ["exp#1", "a%20b", "q?z", "runs", "team/runs/exp", "mit Leerzeichen", "данные", "a+b&c=d"]
)
def test_a_store_is_found_again_in_a_folder_of_any_name(name, launcher):
    launcher.store = launcher.home / name
    assert launcher()[0] == 0

    for place in (str(launcher.store), launcher.store.absolute().as_uri()):
        launcher.store = place
        _, lines, _ = launcher("--plan")
        assert lines[-1] == "grid six: 6 cells, 6 done, 0 to train"
    assert launcher.commits() == dict.fromkeys(range(6), 1)


@pytest.mark.parametrize(
    ("name", "near"),
    [("ENSEMBLES_NAMESPCE", "ENSEMBLES_NAMESPACE"), ("ENSEMBLES_TENSOR_BOARD", "ENSEMBLES_TENSORBOARD")],
)
def test_a_misspelt_variable_is_refused_by_either_executor(name, near, monkeypatch, tmp_path):
    monkeypatch.setenv(name, "x")

    for executor in ("local", "kubernetes"):
        done = launch("--grid", "smoke", "--plan", "--executor", executor, cwd=tmp_path)
        refused(done, repr(name), "allowed: ENSEMBLES_ with CONTEXT, NAMESPACE, ", f"did you mean {near}?")


def test_a_variable_decides_where_no_flag_does_also_on_this_machine(launcher, monkeypatch):
    monkeypatch.setenv("ENSEMBLES_TENSORBOARD", "true")
    launcher("--only", "method=ce")
    launcher("--only", "method=l2", "--no-tensorboard")

    assert [e["tensorboard"] for e in launcher.events("quit")] == [True, True, False, False]


def test_a_store_that_replaces_what_is_there_is_refused_before_anything_is_trained(launcher, monkeypatch):
    def replace(self, key, data, attempt):
        self.put(key, data)
        return True

    monkeypatch.setattr(LocalStore, "put_once", replace)
    code, _, err = launcher()

    assert (code, "let a second write replace the first" in err) == (42, True)
    assert launcher.events() == []
