"""Checks of a file before anything opens it."""

from __future__ import annotations

import hashlib

import pytest

from experiment.errors import InvalidInput
from trainer.datasets.checksums import verify_file
from trainer.datasets.sources import RemoteFile

DATA = b"the original"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(DATA)
    return path


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_file_with_the_expected_checksum_is_recorded_with_its_sha256(path, algorithm):
    expected = f"{algorithm}:{hashlib.new(algorithm, DATA).hexdigest()}"
    record = verify_file(path, RemoteFile(name="file.gz", size=len(DATA), checksum=expected), "a mirror")

    assert (record.name, record.origin, record.size) == ("file.gz", "a mirror", len(DATA))
    assert record.sha256 == hashlib.sha256(DATA).hexdigest()
    assert not record.own


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"size": 13}, "a mirror has 12 bytes; allowed: 13 bytes"),
        ({"checksum": "sha256:" + "0" * 64}, "a mirror has sha256 [0-9a-f]{64}; allowed: sha256 0{64}"),
        ({"checksum": "md5:" + "0" * 32}, "a mirror has md5 [0-9a-f]{32}; allowed: md5 0{32}"),
    ],
    ids=["size", "sha256", "md5"],
)
def test_another_file_is_refused_with_the_way_to_use_it(path, expected, words):
    with pytest.raises(InvalidInput, match=rf"{words}; .*DATASET_NAME_SHA256=file\.gz=SHA256"):
        verify_file(path, RemoteFile(name="file.gz", **expected), "a mirror")


def test_a_file_that_the_users_checksum_lets_pass_is_recorded_as_the_users_own(path):
    own = RemoteFile(name="file.gz", checksum=f"sha256:{hashlib.sha256(DATA).hexdigest()}", own=True)

    assert verify_file(path, own, "a mirror").own
