"""The command, as users and the launcher call it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aggregator.__main__ import main
from experiment import keys
from experiment.errors import InvalidInput
from experiment.grid import load_grid
from tests.aggregator import factories

ROOT = Path(__file__).parents[2]


def test_the_last_line_is_where_the_page_is(store):
    command = [sys.executable, "-m", "aggregator", "--run", f"{store.url}/runs/made"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)

    page = Path(done.stdout.splitlines()[-1])
    assert page == store.root / "reports" / "made" / "index.html"
    assert page.is_file()
    assert done.stderr == ""


def test_the_report_can_be_written_elsewhere_and_leaves_the_store_alone(store, tmp_path, capsys):
    before = list(store.list(""))

    assert main(["--run", f"{store.url}/runs/made", "--out", str(tmp_path / "r")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "r" / "index.html")
    assert list(store.list("")) == before


@pytest.mark.parametrize("place", ["/proc/report", "/dev/null"])
def test_a_report_that_cannot_be_written_where_it_was_wanted_is_refused_before_anything_is_read(store, capsys, place):
    assert main(["--run", f"{store.url}/runs/made", "--out", place]) == 42

    allowed = "allowed: a directory that you may make and write; correct it"
    assert capsys.readouterr().err == f"error: --out is '{place}'; {allowed}\n"


def test_made_again_with_more_cells_it_replaces_the_partial_report(store, capsys):
    key = keys.epochs(load_grid("demo").cells[0])
    data = store.read(key)
    store.delete(key)
    page = store.root / "reports" / "made" / "index.html"

    assert main(["--run", f"{store.url}/runs/made"]) == 0
    assert "This report is partial" in page.read_text()
    store.put(key, data)
    assert main(["--run", f"{store.url}/runs/made", "--wait", "1"]) == 0
    assert "This report is partial" not in page.read_text()
    assert "13 of 13 cells done" in capsys.readouterr().err


def test_a_price_from_the_environment_gives_dollars(store, monkeypatch):
    monkeypatch.setenv("PRICE_PER_HOUR", "CPU=0.9")

    assert main(["--run", f"{store.url}/runs/made"]) == 0
    table = (store.root / "reports" / "made" / "tables" / "digits-cost.csv").read_text().splitlines()
    assert table[1].startswith("ce,1,")
    assert ",0.15," in table[1]


def test_a_wrong_price_is_refused_by_the_name_of_its_source(store, monkeypatch, capsys):
    monkeypatch.setenv("PRICE_PER_HOUR", "cheap")

    assert main(["--run", f"{store.url}/runs/made"]) == 42
    assert "'cheap'; allowed: [DEVICE=]USD per hour, such as 0.9 or K80=0.9; correct PRICE_" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["--run"], ["--run", "x", "--wait", "soon"], ["--run", "x", "--out", ""], ["--run", "x", "--wait", "nan"]],
)
def test_a_wrong_command_line_is_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert re.fullmatch(r"python -m aggregator: error: .*; see --help\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("{store}/runs/none", "allowed: made"),
        ("{store}", "allowed: STORE/runs/RUN"),
        ("/no/such/runs/x", "an existing directory"),
        ("ftp://host/runs/x", "allowed: a directory"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_one_line(store, capsys, run, words):
    assert main(["--run", run.format(store=store.url)]) == 42
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("price", ["free", "K80=", "-1", "inf"])
def test_a_price_that_is_none_is_refused(store, capsys, price):
    assert main(["--run", f"{store.url}/runs/made", f"--price={price}"]) == 42
    assert "allowed: [DEVICE=]USD per hour" in capsys.readouterr().err


def test_a_store_without_rights_is_refused_in_one_line(store, capsys, monkeypatch):
    def refused(self, key, data):
        raise InvalidInput(
            f"{self.url}/{key} cannot be used: Permission denied; choose a --store that you may read and write"
        )

    monkeypatch.setattr(type(store), "put", refused)

    assert main(["--run", f"{store.url}/runs/made"]) == 42
    assert "Permission denied" in capsys.readouterr().err


def test_a_damaged_grid_is_refused(store, capsys):
    path = store.local_path(keys.grid("made"))
    path.write_text(path.read_text().replace('"alpha": 0.01', '"alpha": 0.02'))

    assert main(["--run", f"{store.url}/runs/made"]) == 42
    assert "is damaged" in capsys.readouterr().err


def test_a_report_may_be_written_beside_the_working_directory(store, tmp_path, monkeypatch, capsys):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    assert main(["--run", "../store/runs/made", "--out", "../report"]) == 0
    assert Path(capsys.readouterr().out.strip()).samefile(tmp_path / "report" / "index.html")


def start(*arguments, **environment):
    command = [sys.executable, "-m", "aggregator", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, **pipes)


@pytest.mark.parametrize("name", ["\u0441\u043a\u043b\u0430\u0434", b"lab-\xff"], ids=["Cyrillic", "no text"])
def test_a_path_of_any_characters_is_printed_in_any_encoding(tmp_path, cells, name):
    store = factories.committed_store(tmp_path / os.fsdecode(name), cells=cells[:1])
    store.put(keys.predictions(cells[0]), b"PAR1")  # a problem whose reason names the path
    with start("--run", f"{store.url}/runs/made", PYTHONIOENCODING="ascii") as process:
        out, error = process.communicate(timeout=100)

    assert (process.returncode, error) == (0, b"")
    page = os.fsencode(store.root / "reports" / "made" / "index.html")
    escaped = page.decode("utf-8", "surrogateescape").encode("ascii", "backslashreplace")
    assert out.strip() in (page, escaped)
    assert Path(os.fsdecode(page)).stat().st_size > 10_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_two_seconds_while_it_waits(store, number):
    store.delete(keys.epochs(load_grid("demo").cells[0]))
    with start("--run", f"{store.url}/runs/made", "--wait") as process:
        assert b"12 of 13 cells done" in process.stderr.readline()
        assert_ends(process, number)
    assert not (store.root / "reports").exists()


def test_a_signal_ends_it_within_two_seconds_while_it_draws(store):
    with start("--run", f"{store.url}/runs/made") as process:
        figures = store.root / "reports" / "made" / "figures"
        deadline = time.monotonic() + 60
        while not figures.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert_ends(process, signal.SIGTERM)
    assert not (store.root / "reports" / "made" / "index.html").exists()


def test_a_signal_ends_it_within_two_seconds_while_a_server_keeps_it_waiting(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        secret = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}
        url = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.getsockname()[1]}"}
        with start("--run", "s3://lab/ce/runs/made", **secret, **url) as process:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(1)
                assert_ends(process, signal.SIGTERM)


def assert_ends(process, number):
    begun = time.monotonic()
    process.send_signal(number)
    _, error = process.communicate(timeout=30)

    assert time.monotonic() - begun < 2
    assert process.returncode == 143
    assert b"error: stopped by SIG" in error
    assert b"Traceback" not in error
