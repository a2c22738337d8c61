"""A user's environment neither changes a report nor stops it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator import environment
from tests.aggregator import factories

ROOT = Path(__file__).parents[2]
PLAIN = {n: v for n, v in os.environ.items() if n in ("PATH", "LD_LIBRARY_PATH")} | {"PYTHONPATH": str(ROOT)}
RC = """
image.lut: 2
font.size: 40
svg.fonttype: path
savefig.dpi: 10
savefig.bbox: tight
axes.formatter.use_locale: True
no.such.key: 1
"""


@pytest.fixture(scope="module")
def small_store(tmp_path_factory, cells):
    chosen = [c for c in cells if (c.method, c.alpha) in (("single", 0), ("l2", 0.01))]
    store = factories.committed_store(tmp_path_factory.mktemp("environment") / "store", cells=chosen)
    factories.prepare_digits(store)
    return store


@pytest.fixture(scope="module")
def report(small_store):
    """Makes the report as a program in an environment; returns its files by digest, the time of reading left out."""

    def make(place, cwd=None, **variables):
        out = place / "report"
        command = [sys.executable, "-m", "aggregator", "--run", f"{small_store.url}/runs/made", "--out", str(out)]
        given = {"HOME": str(place), **PLAIN, **variables}
        done = subprocess.run(command, cwd=cwd or place, env=given, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        page = out / "index.html"
        page.write_text(re.sub(r"read (on )?[\d-]+ (at )?[\d:]+ UTC", "", page.read_text()))
        files = sorted(p for p in out.rglob("*") if p.is_file())
        return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    return make


@pytest.fixture(scope="module")
def plain_report(report, tmp_path_factory):
    return report(tmp_path_factory.mktemp("plain"))


def test_a_configuration_of_matplotlib_is_not_used(report, plain_report, tmp_path):
    (tmp_path / "rc").write_text(RC)

    assert report(tmp_path, MATPLOTLIBRC=str(tmp_path / "rc"), MPLBACKEND="module://nonsense") == plain_report


def test_broken_configurations_of_matplotlib_are_not_read(report, plain_report, tmp_path):
    styles = tmp_path / ".config" / "matplotlib" / "stylelib"
    styles.mkdir(parents=True)
    for file in (tmp_path / "matplotlibrc", styles.parent / "matplotlibrc", styles / "own.mplstyle"):
        file.write_bytes(b"font.size: \xff\n")

    assert report(tmp_path, MPLBACKEND="nonsense") == plain_report


def test_a_home_that_cannot_be_written_to_does_no_harm(report, plain_report, tmp_path):
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "x")
    names = ("HOME", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR", "FONTCONFIG_FILE")

    assert report(tmp_path, **dict.fromkeys(names, nowhere)) == plain_report


def test_variables_of_pandas_numpy_and_scipy_are_not_used(report, plain_report, tmp_path):
    pandas = {"PANDAS_FUTURE": "nonsense", "PANDAS_COPY_ON_WRITE": "0", "PANDAS_FUTURE_INFER_STRING": "0"}
    numpy = {"NPY_DISABLE_CPU_FEATURES": "SSE NONSENSE", "NPY_PROMOTION_STATE": "legacy"}
    scipy = {"SCIPY_ARRAY_API": "1", "SCIPY_DEVICE": "nonsense", "PYPARSINGENABLEALLWARNINGS": "1"}

    assert report(tmp_path, **pandas, **numpy, **scipy) == plain_report


def test_pythons_own_variables_and_the_locale_change_nothing(report, plain_report, tmp_path):
    python = {"PYTHONWARNINGS": "error", "PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "2"}
    locale = {"LC_ALL": "de_DE.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kolkata", "SOURCE_DATE_EPOCH": "x"}

    assert report(tmp_path, OMP_NUM_THREADS="1", **python, **locale) == plain_report


def test_without_any_directory_to_write_to_it_says_what_to_do(small_store, tmp_path, monkeypatch, capsys):
    from aggregator.__main__ import main

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))

    assert main(["--run", f"{small_store.url}/runs/made"]) == 42
    assert "set TMPDIR to a directory with room" in capsys.readouterr().err


def test_the_environment_is_as_before_afterwards(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "template")
    before, here = dict(os.environ), Path.cwd()
    with environment.isolated_libraries():
        inside = dict(os.environ)
        assert Path.cwd() == here

    assert inside["MPLBACKEND"] == "agg"
    assert dict(os.environ) == before
    assert not Path(inside["MPLCONFIGDIR"]).exists()


SCAN = """
import json, re, sys
from pathlib import Path
import aggregator.report.make, matplotlib.backends.backend_agg, matplotlib.backends.backend_svg
reading = re.compile(r"(?:environ(?:\\.get|\\.setdefault|\\.pop)?|getenv)\\s*[\\(\\[]\\s*f?[\\"']([A-Za-z_]\\w*)")
own = ("aggregator", "experiment")
files = {n: m.__file__ for n, m in sys.modules.items() if (getattr(m, "__file__", None) or "").endswith(".py")}
libraries = [f for n, f in files.items() if n.partition(".")[0] not in (*own, *sys.stdlib_module_names, "__main__")]
print(json.dumps(sorted({v for f in libraries for v in reading.findall(Path(f).read_text(errors="replace"))})))
"""


def test_every_variable_that_a_library_reads_is_decided(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCAN], env=PLAIN, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    read = json.loads(done.stdout)
    decided = re.findall(r"_?[A-Z][A-Z_0-9]+\*?", environment.__doc__)
    prefixes = tuple(d.removesuffix("*") for d in decided if d.endswith("*"))

    assert {"MPLBACKEND", "PANDAS_FUTURE", "SCIPY_ARRAY_API", "NPY_PROMOTION_STATE"} <= set(read)
    # ARROW_PRE_*: of files in older forms of Arrow's own format, which are not read or written here.
    assert [v for v in read if v not in decided and not v.startswith(prefixes)] == []
