from __future__ import annotations

import io

import numpy as np
import pytest

from experiment.store import LocalStore
from tests.trainer.datasets import factories
from tests.trainer.datasets.serving import Site, serve
from trainer.datasets import Overrides


@pytest.fixture(scope="session")
def _server():
    holder: list[Site] = [Site("")]
    server = serve(holder)
    yield server, holder
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(_server, monkeypatch):
    """A fresh site on a server of this machine."""
    server, holder = _server
    monkeypatch.setenv("no_proxy", "*")
    holder[0] = Site(f"http://127.0.0.1:{server.server_address[1]}")
    return holder[0]


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store", create=True)


@pytest.fixture
def overrides(tmp_path):
    return Overrides(cache=tmp_path / "cache")


@pytest.fixture
def naps():
    """A sleep that only notes how long it would have been."""

    class Naps(list):
        def __call__(self, seconds: float) -> None:
            self.append(seconds)

    return Naps()


def shared(name: str):
    """A file of the real data, or a skip that says which is missing."""
    path = factories.SHARED / name
    if not path.is_file():
        pytest.skip(f"needs the real data: {path} is not there")
    return path


@pytest.fixture(scope="session")
def real_mnist():
    """All of MNIST as x_train, y_train, x_test, y_test."""
    with np.load(shared("mnist.npz"), allow_pickle=False) as file:
        return {part: file[part] for part in ("x_train", "y_train", "x_test", "y_test")}


@pytest.fixture(scope="session")
def real_cifar10():
    """Six batches of 50 real CIFAR-10 images."""
    import pyarrow.parquet as pq
    from PIL import Image

    rows = pq.ParquetFile(shared("cifar10.parquet")).read_row_group(0, columns=["label", "jpeg"]).slice(0, 300)
    x = np.stack([np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in rows["jpeg"].to_pylist()])
    y = rows["label"].to_numpy().astype(np.uint8)
    return [(x[i : i + 50], y[i : i + 50]) for i in range(0, 300, 50)]


@pytest.fixture(scope="session")
def real_letters():
    """400 real notMNIST letters, 40 of each."""
    with np.load(shared("notmnist_small_10k.npz"), allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    chosen = np.concatenate([np.flatnonzero(y == label)[:40] for label in range(10)])
    return x[chosen], y[chosen].astype(np.uint8)
