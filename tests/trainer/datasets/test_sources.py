"""The mirrors and checksums of the original files, as known and as the user overrides them."""

from __future__ import annotations

import pytest

from experiment.datasets import DATASETS
from experiment.errors import InvalidInput
from trainer.datasets import Overrides, sources

SHA = "0123456789abcdef" * 4


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


def test_a_checksum_of_ones_own_replaces_size_and_checksum():
    (file,) = sources.original_files("cifar10", Overrides(sha256={sources.CIFAR10: SHA}))

    assert (file.size, file.checksum) == (None, f"sha256:{SHA}")


def test_every_data_set_but_the_bundled_one_has_a_source_with_a_size_for_every_file():
    assert set(sources.SOURCES) == set(DATASETS) - {"digits"}
    for source in sources.SOURCES.values():
        assert all(mirror.endswith("/") for mirror in source.mirrors)
        assert all(file.size for file in source.files)
