"""``python -m trainer`` as a process: exit codes, the warm worker's protocol, and how it stops."""

import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from experiment import keys, records, results
from experiment.assignment import Assignment
from experiment.cell import Cell
from experiment.grid import Grid
from experiment.provenance import read_provenance
from experiment.records import Outcome, Progress, Turn
from experiment.run import Run
from experiment.urls import run_url
from trainer import datasets

CELLS = tuple(
    Cell(dataset="digits", method="l2", alpha=a, epochs=2, train_examples=256, test_examples=64) for a in (0.1, 0.01)
)
LONG = Cell(dataset="digits", method="l2", alpha=0.1, epochs=100_000)


def freeze(store, *cells):
    """The URL of a run of these cells, with the data set prepared."""
    datasets.prepare_dataset("digits", store)
    store.put_once(keys.grid("test"), Run(name="test", grid=Grid(name="test", cells=cells)).to_bytes(), "test")
    return run_url(store.url, "test")


def start(*arguments, **env):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", *arguments], text=True, env={**os.environ, **env}, **pipes
    )


def finish(process, given=None):
    """(exit code, records on standard output, standard error)."""
    out, err = process.communicate(given, timeout=120)
    return process.returncode, [records.parse_record(line, "output") for line in out.splitlines()], err


def test_a_warm_worker_answers_every_index_and_quits(local_store):
    code, said, err = finish(start("--run", freeze(local_store, *CELLS), "--indexes", "-"), "1\n0\n1\nquit\n")
    assert code == 0, err
    outcomes = [(r.index, r.state) for r in said if isinstance(r, Outcome)]
    assert outcomes == [(1, "committed"), (0, "committed"), (1, "found")]
    shown = [r for r in said if isinstance(r, Progress)]
    assert {r.cell for r in shown} == {c.id for c in CELLS}
    assert shown[-1].step == shown[-1].steps == 8
    assert all(local_store.exists(keys.epochs(c)) for c in CELLS)
    assert len({r.attempt for r in shown}) == 2


@pytest.mark.parametrize("how", ["end of input", "SIGTERM", "SIGINT"])
def test_a_worker_that_must_stop_leaves_a_checkpoint_and_exits_143(local_store, how):
    worker = start("--run", freeze(local_store, LONG), "--indexes", "-")
    worker.stdin.write("0\n")
    worker.stdin.flush()
    while records.parse_record(worker.stdout.readline(), "output").step < 10:
        pass
    if how == "end of input":
        worker.stdin.close()
        worker.stdin = None
    else:
        worker.send_signal(getattr(signal, how))
    started = time.monotonic()
    code, _, err = finish(worker)
    assert time.monotonic() - started < 2
    assert code == 143, err
    assert "told to stop" in err
    assert len(list(local_store.list(keys.folder(keys.CHECKPOINTS, LONG.id)))) == 1


def test_an_idle_worker_stops_too(local_store):
    worker = start("--run", freeze(local_store, *CELLS), "--indexes", "-")
    worker.stdin.write("0\n")
    worker.stdin.flush()
    while not isinstance(records.parse_record(worker.stdout.readline(), "output"), Outcome):
        pass
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 143
    finish(worker)


def test_the_index_comes_from_the_jobs_environment_and_a_lost_data_set_is_named(local_store):
    url = freeze(local_store, *CELLS)
    local_store.delete(keys.dataset_manifest("digits"))
    code, _, err = finish(start("--run", url, JOB_COMPLETION_INDEX="1", ATTEMPT="pod-uid"))
    assert code == 42
    assert "python -m trainer --prepare digits" in err.splitlines()[-1]
    record = records.parse_record(local_store.read(keys.failure(CELLS[1].id, "pod-uid")), "record")
    assert (record.kind, record.exit_code) == ("invalid", 42)


def group_of(store, *cells):
    """The arguments of the pod that trains these cells as index 1 of a Job."""
    url = freeze(store, *cells)
    indexes, sizes = (len(cells), *range(len(cells))), (1, len(cells))  # index 0 is another pod's
    store.put(keys.assignment("test", "j"), Assignment(run="test", job="j", indexes=indexes, sizes=sizes).to_bytes())
    return ("--run", url, "--job", "j")


POD = {"JOB_COMPLETION_INDEX": "1", "ATTEMPT": "pod-uid", "JOB_UID": "job-uid"}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_pod_trains_its_group_in_warm_workers_and_leaves_out_what_can_never_work(local_store, workers):
    lost = Cell(dataset="mnist", method="l2", alpha=0.1)  # nobody has prepared its data set
    code, said, err = finish(start(*group_of(local_store, lost, *CELLS), "--workers", str(workers), **POD))

    assert code == 0, err
    outcomes = {r.cell: (r.state, r.kind) for r in said if isinstance(r, Outcome)}
    assert outcomes == {lost.id: ("failed", "invalid"), **{c.id: ("committed", "") for c in CELLS}}
    assert f"{lost.id} failed for good: " in err
    assert err.count("training on CPU") == workers  # each imports and compiles once
    assert local_store.exists(keys.failure(lost.id, "pod-uid"))
    for cell in CELLS:
        found = results.from_bytes(local_store.read(keys.epochs(cell)), "epochs", "here")
        assert read_provenance(found.schema, "here")["attempt"] == "pod-uid"


def test_an_evicted_pod_leaves_the_checkpoint_of_the_cell_that_it_trains_and_the_next_begins_with_the_others(
    local_store,
):
    given = group_of(local_store, LONG, *CELLS)
    pod = start(*given, "--workers", "1", **POD)
    while not isinstance(records.parse_record(pod.stdout.readline(), "output"), Progress):
        pass
    pod.send_signal(signal.SIGTERM)
    code, _, err = finish(pod)

    assert code == 143, err
    assert "told to stop when 0 of 3 cells are done; launch again to go on" in err.splitlines()[-1]
    assert len(list(local_store.list(keys.folder(keys.CHECKPOINTS, LONG.id)))) == 1
    record = records.parse_record(local_store.read(keys.failure(LONG.id, "pod-uid")), "record")
    assert record.kind == "interrupted"

    following = start(*given, "--workers", "1", **{**POD, "ATTEMPT": "next-uid"})
    said = [records.parse_record(following.stdout.readline(), "output")]
    while not (isinstance(said[-1], Progress) and said[-1].cell == LONG.id):
        said.append(records.parse_record(following.stdout.readline(), "output"))
    following.send_signal(signal.SIGTERM)
    finish(following)
    assert [r.cell for r in said if isinstance(r, Outcome)] == [c.id for c in CELLS]
    assert [r.cell for r in said if isinstance(r, Turn)] == [*(c.id for c in CELLS), LONG.id]
    assert said[-1].step > 0


def test_a_group_without_a_number_of_workers_is_refused(local_store):
    code, _, err = finish(start(*group_of(local_store, *CELLS), **POD))

    assert code == 42
    assert "the number of cells of index 1 of Job j is 2; allowed: 1 without --workers" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--run", "STORE/runs/test", "--index", "0", "--workers", "0"], 2, "'0' given; allowed: 1 to 1024"),
        (
            ["--run", "STORE/runs/test", "--job", "j", "--indexes", "-", "--workers", "2"],
            2,
            "those of --index or --job",
        ),
        (["--run", "STORE/runs/test", "--index", "0", "--threads", "2"], 2, "is of the workers of --workers N"),
        (["--run", "STORE/runs/test", "--indexes", "-", "--index", "1"], 2, "only with --job"),
        (["--run", "STORE/runs/none", "--index", "0"], 42, "the run is 'none'; allowed: test"),
        (["--run", "STORE", "--index", "0"], 42, "STORE/runs/RUN"),
        (["--run", "STORE/runs/test", "--index", "7"], 42, "allowed: 0 to 1"),
        (["--run", "STORE/runs/test"], 2, "JOB_COMPLETION_INDEX"),
        (["--prepare", "imagenet", "--store", "STORE"], 42, "data set is 'imagenet'; allowed: digits"),
        (["--prepare", "imagenet", "--store", "STORE", "--grid", "no.toml"], 42, "no.toml"),
        (["--pack", "nowhere", "--size", "8", "--out", "x.npz"], 42, "a folder of pictures"),
        (["--describe", "nowhere.npz"], 42, "an .npz file"),
        (["--prepare", "digits"], 2, "need --store"),
        (["--await-dataset", "mnist", "--store", "STORE", "--await-seconds", "0"], 42, "mnist is not in"),
        (["--await-dataset", "digits", "--store", "STORE"], 0, ""),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_its_exit_code(local_store, arguments, code, words):
    freeze(local_store, *CELLS)
    process = start(*(a.replace("STORE", local_store.url) for a in arguments))
    got, _, err = finish(process)
    assert got == code, err
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [["--prepare", "digits"], ["--await-dataset", "digits"]])
def test_a_python_without_the_packages_is_named_in_one_line(local_store, arguments):
    command = [sys.executable, "-S", "-m", "trainer", *arguments, "--store", local_store.url]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 42
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert "lacks the package numpy" in line
    assert "make demo" in line


@pytest.mark.parametrize("package", ["tensorflow", "keras", "safetensors"])
def test_a_package_that_only_training_needs_is_named_in_one_line(local_store, package):
    url = freeze(local_store, *CELLS)
    program = (
        f"import sys; sys.modules[{package!r}] = None; from trainer.__main__ import main; "
        f"sys.exit(main(['--run', {url!r}, '--index', '0']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.returncode == 42
    assert f"lacks the package {package}; allowed: " in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_store_of_any_name_is_printed_in_any_encoding(tmp_path):
    process = start("--prepare", "digits", "--store", str(tmp_path / "хранилище"), PYTHONIOENCODING="ascii")
    out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert r"/\u0445\u0440\u0430\u043d" in out


def test_waiting_for_a_data_set_needs_no_tensorflow(local_store):
    freeze(local_store, *CELLS)
    program = (
        "import sys; sys.modules['tensorflow'] = None; from trainer.__main__ import main; "
        f"sys.exit(main(['--await-dataset', 'digits', '--store', {local_store.url!r}]))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


class SlowMirror(ThreadingHTTPServer):
    """A mirror that sends a little every tenth of a second, or nothing at all."""

    daemon_threads = True

    def __init__(self, *, silent):
        self.silent, self.asked = silent, threading.Event()
        super().__init__(("127.0.0.1", 0), SlowAnswer)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def handle_error(self, request, client_address):
        """The client has gone."""


class SlowAnswer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.set()
        if self.server.silent:
            time.sleep(60)
        self.send_response(200)
        self.send_header("Content-Length", "9912422")
        self.end_headers()
        while True:
            self.wfile.write(bytes(1 << 10))
            time.sleep(0.05)

    def log_message(self, *args):
        pass


def stopped_within(process, number, seconds=2.0):
    """(exit code, standard error) of a process that ends in time after the signal."""
    started = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - started < seconds
    return process.returncode, err


@pytest.mark.parametrize("silent", [False, True], ids=["slow", "silent"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_download_that_is_told_to_stop_ends_and_keeps_what_came(local_store, tmp_path, number, silent):
    with SlowMirror(silent=silent) as mirror:
        url = f"http://127.0.0.1:{mirror.server_address[1]}/"
        env = {"DATASET_MNIST_URL": url, "XDG_CACHE_HOME": str(tmp_path / "cache"), "no_proxy": "*"}
        process = start("--prepare", "mnist", "--store", local_store.url, **env)
        assert mirror.asked.wait(60)
        time.sleep(0.5)
        code, err = stopped_within(process, number)
        mirror.shutdown()

    assert code == 143
    assert err.splitlines()[-1].startswith("error: stopped by SIG")
    assert "Traceback" not in err
    parts = [f.stat().st_size for f in (tmp_path / "cache").rglob("*.part")]
    assert silent or parts[0] > 1 << 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_verification_that_is_told_to_stop_ends_with_its_worker(tmp_path, number):
    process = start("--verify-resume", TMPDIR=str(tmp_path))
    while not (children := Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()):
        time.sleep(0.05)
    time.sleep(2)
    code, err = stopped_within(process, number)

    assert code == 143, err
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert list(tmp_path.iterdir()) == []


def catches(process, number):
    """Whether the process has begun to catch a signal; before, it ends as any program does."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (mask,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.parametrize("seconds", [0.0, 0.8, 2.3])
def test_a_trainer_that_is_told_to_stop_before_its_first_step_ends(local_store, seconds):
    """While it imports, loads, traces and compiles, nothing has come that could be kept."""
    process = start("--run", freeze(local_store, LONG), "--index", "0")
    while not catches(process, signal.SIGTERM):
        time.sleep(0.02)
    time.sleep(seconds)
    code, err = stopped_within(process, signal.SIGTERM, 3.0)  # a second more where it has just begun to save

    assert code == 143, err
    assert "Traceback" not in err


def test_waiting_for_a_data_set_ends_when_told_to(local_store):
    process = start("--await-dataset", "mnist", "--store", local_store.url)
    time.sleep(1.5)
    code, err = stopped_within(process, signal.SIGINT)

    assert code == 143
    assert "told to stop while waiting for mnist" in err


def test_a_library_s_notes_do_not_stand_beside_the_one_line_of_an_error():
    keys_of_user = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": "localhost:9000"}
    code, _, err = finish(start("--prepare", "digits", "--store", "s3://bucket/x", **keys_of_user, MPLBACKEND=""))

    assert code == 42
    assert [line.partition(":")[0] for line in err.splitlines() if "ignored from" not in line] == ["error"]
