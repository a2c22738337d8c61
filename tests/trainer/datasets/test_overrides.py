"""The user's own sources of data sets, as the environment names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiment.errors import InvalidInput
from trainer.datasets import Overrides
from trainer.datasets.overrides import find_misspelt

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
        ("DATASET_MNIST_URL", "http://[::1/", "an http:// or https:// URL"),
        ("DATASET_MNIST_URL", "http://host:1x/", "an http:// or https:// URL"),
        ("DATASET_MNIST_URL", "http://host:99999/", "an http:// or https:// URL"),
        ("DATASET_MNIST_URL", "http://host/a b/", "of ASCII without blanks"),
        ("DATASET_MNIST_URL", "http://host/é/", "of ASCII without blanks"),
        ("DATASETS_DIR", "~no-such-user/data", "of a user of this machine"),
        ("DATASET_MNIST_COUNTS", "all", "any, or not set"),
        ("DATASET_MNIST_SHA256", SHA, "FILE=SHA256 pairs"),
        ("DATASET_MNIST_SHA256", "a.gz=123", "64 hexadecimal digits"),
    ],
)
def test_an_impossible_value_is_refused_by_the_name_of_its_variable(variable, value, reason):
    with pytest.raises(InvalidInput, match=f"{variable} is .*{reason}"):
        Overrides.from_environment("mnist", {variable: value})


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(InvalidInput, match="without user and password") as caught:
        Overrides.from_environment("mnist", {"DATASET_MNIST_URL": "https://me:secret@m.example/"})
    assert "secret" not in str(caught.value)


def test_a_variable_that_is_nearly_one_of_ours_is_named_and_another_programs_is_not():
    ours = ("DATASETS_DIR", "DATASET_MNIST_URL", "DATASET_NOTMNIST_COUNTS")
    others = ("DATASET", "DATASET_PATH", "DATASET_TRAIN_URL", "MNIST_URL", "PATH")

    assert find_misspelt(dict.fromkeys((*ours, *others), "x")) == {}
    assert find_misspelt({"DATASET_CIFAR_URL": "x", "DATASET_MNIST_SHA265": "y", "DATASET_DIR": "z"}) == {
        "DATASET_CIFAR_URL": "DATASET_CIFAR10_URL",
        "DATASET_DIR": "DATASETS_DIR",
        "DATASET_MNIST_SHA265": "DATASET_MNIST_SHA256",
    }
