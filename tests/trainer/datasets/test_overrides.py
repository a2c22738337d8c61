"""What the user says about sources, and where this machine keeps copies."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput
from trainer.datasets import Overrides, sources
from trainer.datasets.cache import cache_folder

SHA = "0123456789abcdef" * 4


def test_the_environment_names_directory_url_checksums_and_counts():
    found = Overrides.from_environment(
        "notmnist",
        {
            "DATASETS_DIR": "/data",
            "DATASET_NOTMNIST_URL": "https://mirror.example/n/",
            "DATASET_NOTMNIST_SHA256": f"notMNIST_large.tar.gz={SHA.upper()}, notMNIST_small.tar.gz={SHA}",
            "DATASET_NOTMNIST_COUNTS": "any",
            "DATASET_MNIST_URL": "not this data set's",
            "XDG_CACHE_HOME": "/cache",
        },
    )

    assert found == Overrides(
        folder=Path("/data"),
        url="https://mirror.example/n/",
        sha256={"notMNIST_large.tar.gz": SHA, "notMNIST_small.tar.gz": SHA},
        any_count=True,
        cache=Path("/cache/collaborative-ensembles"),
    )


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("DATASET_MNIST_URL", "ftp://host/x", "an http:// or https:// URL"),
        ("DATASET_MNIST_URL", "file:///etc/passwd", "set DATASETS_DIR"),
        ("DATASET_MNIST_URL", "mirror", "an http:// or https:// URL"),
        ("DATASET_MNIST_COUNTS", "all", "any, or not set"),
        ("DATASET_MNIST_SHA256", SHA, "FILE=SHA256 pairs"),
        ("DATASET_MNIST_SHA256", "a.gz=123", "64 hexadecimal digits"),
    ],
)
def test_an_impossible_value_is_refused_by_the_name_of_its_variable(variable, value, reason):
    with pytest.raises(InvalidInput, match=f"{variable} is .*{reason}"):
        Overrides.from_environment("mnist", {variable: value})


def test_a_checksum_for_an_unknown_file_is_refused():
    with pytest.raises(InvalidInput, match=r"a file in DATASET_MNIST_SHA256 is 'x\.gz'; allowed: train-images"):
        sources.original_files("mnist", Overrides(sha256={"x.gz": SHA}))


def test_known_mirrors_are_tried_in_order_for_every_file():
    files = sources.original_files("mnist", Overrides())

    assert [f.name for f in files] == [f.name for f in sources.SOURCES["mnist"].files]
    assert files[0].urls == tuple(m + files[0].name for m in sources.SOURCES["mnist"].mirrors)


def test_a_url_of_ones_own_replaces_the_mirrors_and_keeps_the_checksums():
    (file,) = sources.original_files("cifar10", Overrides(url="https://mirror.example/c"))

    assert file.urls == ("https://mirror.example/c/cifar-10-binary.tar.gz",)
    assert file.checksum == "md5:c32a1d4ab5d03f1284b67883e8d87530"
    assert file.size == 170_052_171


def test_a_url_may_name_the_one_file_or_carry_a_query():
    for given, expected in {
        "https://m.example/cifar-10-binary.tar.gz?key=1": "https://m.example/cifar-10-binary.tar.gz?key=1",
        "https://m.example/c/?key=1": "https://m.example/c/cifar-10-binary.tar.gz?key=1",
    }.items():
        assert sources.original_files("cifar10", Overrides(url=given))[0].urls == (expected,)


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(InvalidInput, match="without user and password") as caught:
        Overrides.from_environment("mnist", {"DATASET_MNIST_URL": "https://me:secret@m.example/"})
    assert "secret" not in str(caught.value)


def test_a_checksum_of_ones_own_replaces_size_and_checksum():
    (file,) = sources.original_files("cifar10", Overrides(sha256={sources.CIFAR10: SHA}))

    assert (file.size, file.checksum) == (None, f"sha256:{SHA}")


def test_every_data_set_but_the_bundled_one_has_a_source_with_a_size_for_every_file():
    assert set(sources.SOURCES) == set(DATASETS) - {"digits"}
    for source in sources.SOURCES.values():
        assert all(mirror.endswith("/") for mirror in source.mirrors)
        assert all(file.size for file in source.files)


def test_the_cache_is_the_users_own(tmp_path):
    assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/collaborative-ensembles")
    assert cache_folder({"HOME": str(tmp_path)}) == tmp_path / ".cache" / "collaborative-ensembles"
    for environment in ({}, {"HOME": "/nonexistent"}, {"XDG_CACHE_HOME": "relative"}):
        assert cache_folder(environment).is_relative_to(tempfile.gettempdir())
