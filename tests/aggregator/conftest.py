"""The runs that the aggregator's tests look at: the author's, where it is at hand, and made ones."""

from __future__ import annotations

import datetime as dt

import pytest

from aggregator import make
from aggregator import run as runs
from tests.aggregator import author, made

NOW = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def author_store(tmp_path_factory):
    if not (author.SHARED / "epochs.parquet").is_file():
        pytest.skip(f"LOUD: the author's series is not at {author.SHARED}: his 234 numbers are not reproduced here")
    return author.committed(tmp_path_factory.mktemp("author"))


@pytest.fixture(scope="session")
def author_material(author_store):
    return make.gather(author_store, runs.read(author_store, author.RUN, NOW), {})


@pytest.fixture
def store(tmp_path):
    """A store with a run of 13 cells and one seed, with predictions."""
    return made.committed(tmp_path / "store")


@pytest.fixture
def read():
    """Reads a run of a store as the report does."""
    return lambda store, run=made.RUN, prices=None: make.gather(store, runs.read(store, run, NOW), prices or {})
