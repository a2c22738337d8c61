"""The runs that the aggregator's tests look at: the author's, where it is at hand, and made ones."""

from __future__ import annotations

import datetime as dt

import pytest

from aggregator.reading.run import read_run_results
from aggregator.report.files import build_files
from aggregator.report.material import gather_material
from experiment.grid import load_grid
from experiment.run import read_run
from tests.aggregator import author_run, factories

NOW = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)


def gather_run(store, name=factories.RUN, prices=None):
    return gather_material(store, read_run_results(store, read_run(store, name), NOW), prices or {})


@pytest.fixture(scope="session")
def author_store(tmp_path_factory):
    if not (author_run.SHARED / "epochs.parquet").is_file():
        pytest.skip(f"LOUD: the author's series is not at {author_run.SHARED}: his 234 numbers are not reproduced here")
    return author_run.committed_store(tmp_path_factory.mktemp("author"))


@pytest.fixture(scope="session")
def author_material(author_store):
    return gather_run(author_store, author_run.RUN)


@pytest.fixture
def store(tmp_path):
    """A store with a run of 13 cells and one seed, with predictions."""
    return factories.committed_store(tmp_path / "store")


@pytest.fixture(scope="session")
def gather():
    """Reads a run of a store as the report does."""
    return gather_run


@pytest.fixture(scope="session")
def cells():
    """The cells of the run in ``store``."""
    return load_grid("demo").cells


@pytest.fixture(scope="session")
def made_report(tmp_path_factory):
    """(material, files by path) of a whole run with predictions and a prepared data set."""
    store = factories.committed_store(tmp_path_factory.mktemp("report") / "s")
    factories.prepare_digits(store)
    material = gather_run(store, prices={"": 0.9})
    return material, dict(build_files(material))
