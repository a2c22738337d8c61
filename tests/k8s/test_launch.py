"""The launcher's command line: what it refuses, in one line and without loss, and what it prints of a plan."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiment import keys, results
from experiment.grid import load_grid
from experiment.store import LocalStore
from k8s.launch import main
from k8s.planning.freeze import freeze_grid
from tests.made import commit, epochs_table

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def launch(*argv: object, cwd: Path) -> Done:
    """What the launcher does, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(["--executor", "local", *map(str, argv)])
        except SystemExit as left:
            code = left.code
    return Done(code, out.getvalue(), err.getvalue())


def refused(done: Done, *words: str, code: int = 42) -> None:
    """One line that says what was given, what is allowed, what to do; nothing else on the screen."""
    lines = done.stderr.splitlines()

    assert done.returncode == code
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    assert all(word in lines[0] for word in words), lines[0]
    assert "Traceback" not in done.stdout


@pytest.fixture
def smoke(local_store):
    """The store with a committed cell of grid smoke, and that cell."""
    cell = load_grid("smoke").cells[1]
    commit(local_store, cell)
    return local_store, cell


def content(store: LocalStore) -> dict[str, str]:
    return {k: hashlib.sha256(store.read(k)).hexdigest() for k in store.list("")}


GRIDS = {
    "no toml": ("[base", "is not TOML", "correct that place"),
    "unknown table": ("[bsae]\n", "'bsae'", "allowed: base, dataset", "correct its name"),
    "empty": ("", "has no cell", "add a [[product]]"),
    "method": ("[[product]]\ndataset='digits'\nmethod='l3'", "'l3'", "single, ce, l2, l1", "correct it in the grid"),
    "dataset": ("[[product]]\ndataset='minst'\nmethod='single'", "'minst'", "digits, mnist, cifar10, notmnist"),
    "member": ("[[product]]\ndataset='digits'\nmethod='single'\nmembers=['ST','XL']", "'XL'", "ST, M", "[member.NAME]"),
    "negative alpha": ("[[product]]\ndataset='digits'\nmethod='l2'\nalpha=-1", "-1", "a finite number of at least 0"),
    "alpha of text": ("[[product]]\ndataset='digits'\nmethod='l2'\nalpha='big'", "'big'", "a finite number"),
    "alpha nan": ("[[product]]\ndataset='digits'\nmethod='l2'\nalpha=nan", "nan", "a finite number"),
    "alpha true": ("[[product]]\ndataset='digits'\nmethod='l2'\nalpha=true", "True", "a finite number"),
    "duplicates": ("[[product]]\ndataset='digits'\nmethod=['single','single']", "twice", "each cell once", "remove one"),
    "count": ("expect=3\n[[product]]\ndataset='digits'\nmethod='single'", "is 1", "expect = 3", "correct the grid"),
    "odd size": (
        "[member.D]\nbricks=5\nblocks=1\nfilters=4\n[[product]]\ndataset='digits'\nmethod='single'\nmembers=['D']",
        "bricks of member D on digits (8x8 pixels) is 5", "use fewer bricks",
    ),
    "unknown setting": ("[base]\nlr=1\n[[product]]\ndataset='digits'\nmethod='single'", "'lr'", "learning_rate"),
    "missing setting": ("[[product]]\nmethod='single'", "lacks dataset"),
}  # fmt: skip


@pytest.mark.parametrize("name", GRIDS)
def test_a_grid_file_that_is_no_grid_is_refused(name, tmp_path):
    text, *words = GRIDS[name]
    (tmp_path / "my.toml").write_text(text)

    refused(launch("--grid", "my.toml", cwd=tmp_path), *words)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["my.toml"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--grid", "dmeo"], ["'dmeo'", "demo, full, mnist-small, replication, smoke", "did you mean 'demo'?"]),
        (["--grid", "none.toml"], ["'none.toml'", "readable UTF-8 TOML file", "check the path"]),
        (["--grid", "demo", "--only", "colour=red"], ["'colour=red'", "FIELD=VALUE", "correct --only"]),
        (["--grid", "demo", "--only", "method=l3"], ["'method=l3'", "leaves a cell"]),
        (["--grid", "demo", "--run", "My_Run"], ["'My_Run'", "a-z, 0-9", "choose another --run"]),
        (["--grid", "demo", "--store", "http://host/x"], ["'http://host/x'", "s3://BUCKET/PREFIX", "correct --store"]),
        (["--grid", "demo", "--store", "/dev/null/store"], ["/dev/null/store", "choose a --store"]),
        (["--grid", "demo", "--store", "/proc/none/store"], ["/proc/none/store"]),
        (["--grid", "demo", "--store", "file.txt"], ["file.txt"]),
    ],
    ids=lambda v: " ".join(v) if "--grid" in v else "",
)
def test_an_argument_that_means_nothing_is_refused(argv, words, tmp_path):
    (tmp_path / "file.txt").write_text("")

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
    assert "error: " in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def damage(store: LocalStore, key: str, how: str, cell) -> None:
    path = store.local_path(key)
    data = path.read_bytes()
    table = epochs_table(cell)
    if how == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "flipped":
        middle = data.index(b"PAR1") + 60
        path.write_bytes(data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :])
    elif how == "foreign":
        pq.write_table(pa.table({"x": [1]}), path)
    elif how == "newer":
        newer = {results._METADATA: json.dumps({"schema_version": 99, "table": "epochs"}).encode()}
        pq.write_table(table.replace_schema_metadata(newer), path)
    elif how == "another cell's":
        path.write_bytes(results.to_bytes(epochs_table(load_grid("demo").cells[0])))
    elif how == "half its epochs":
        path.write_bytes(results.to_bytes(table.slice(0, len(cell.models))))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("cut", ["is not a whole Parquet file", "remove it and launch"]),
        ("empty", ["is not a whole Parquet file"]),
        ("flipped", ["is not a whole Parquet file"]),
        ("foreign", ["was not written by this suite", "remove it from the store"]),
        ("newer", ["results schema 99; allowed: 1", "the version of the suite that wrote it"]),
        ("another cell's", ["epochs of its cell", "remove it"]),
        ("half its epochs", ["epochs of its cell", "remove it"]),
    ],
)
def test_a_result_that_cannot_be_trusted_is_named_and_refused_and_nothing_is_touched(how, words, smoke, tmp_path):
    store, cell = smoke
    damage(store, keys.epochs(cell), how, cell)
    before = content(store)
    for more in ((), ("--plan",)):
        refused(launch("--grid", "smoke", "--store", store.root, *more, cwd=tmp_path), keys.epochs(cell), *words)

    assert content(store) == before


def test_several_such_results_are_counted(smoke, tmp_path):
    store, _ = smoke
    for cell in load_grid("smoke").cells[:3]:
        store.put(keys.epochs(cell), b"no")

    refused(launch("--grid", "smoke", "--store", store.root, cwd=tmp_path), "(and 2 more like it)")


def test_a_damaged_result_of_another_grid_is_no_obstacle(smoke, tmp_path):
    store, cell = smoke
    store.put(keys.epochs(cell), b"no")

    assert launch("--grid", "demo", "--plan", "--store", store.root, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("how", ["cut", "changed", "nonsense"])
def test_a_damaged_frozen_grid_is_refused(how, launcher):
    store = LocalStore(launcher.store, create=True)
    freeze_grid(store, "mine", load_grid(str(launcher.grid)).only(["method=ce"]), {})
    path = store.local_path(keys.grid("mine"))
    whole = path.read_bytes()
    path.write_bytes(
        {"cut": whole[:100], "changed": whole.replace(b'"seed": 0', b'"seed": 1', 1), "nonsense": b"[]"}[how]
    )
    code, _, err = launcher("--only", "method=ce", "--run", "mine")

    assert code == 42
    assert err.count("\n") == 1
    assert "runs/mine/grid.json is" in err
    assert "launch the grid again under another --run" in err
    assert launcher.events() == []


def test_a_run_keeps_the_cells_that_it_was_launched_with(launcher):
    store = LocalStore(launcher.store, create=True)
    freeze_grid(store, "mine", load_grid(str(launcher.grid)).only(["method=ce"]), {"time": "then"})
    before = store.read(keys.grid("mine"))
    code, _, err = launcher("--run", "mine")

    assert code == 42
    assert err == (
        "error: the grid of run mine is 'six with 6 cells'; allowed: the cells that it was launched with (six, 3 cells); "
        "choose another --run, or leave --run out\n"
    )
    assert launcher("--only", "method=ce", "--run", "mine")[0] == 0
    assert store.read(keys.grid("mine")) == before


def test_a_damaged_failure_record_is_named_and_the_launch_goes_on(launcher):
    store = LocalStore(launcher.store, create=True)
    store.put(keys.failure(load_grid(str(launcher.grid)).cells[0].id, "a1"), b"{")
    code, _, err = launcher()

    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("warning: ") and "a1.json is not a record of this suite" in err


def test_a_missing_bucket_is_refused(moto_server, s3_environment, tmp_path):
    s3_environment(moto_server)

    refused(
        launch("--grid", "smoke", "--store", "s3://no-such-bucket/p", cwd=tmp_path), "NoSuchBucket", "create the bucket"
    )


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
