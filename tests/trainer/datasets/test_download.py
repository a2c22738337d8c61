"""Downloads against a server that misbehaves."""

from __future__ import annotations

import hashlib
import re
import socket
from dataclasses import replace

import pytest

from experiment.errors import InvalidInput, Transient
from tests.trainer.datasets.serving import Answer
from trainer.datasets.download import ROUNDS, download_file
from trainer.datasets.sources import RemoteFile

DATA = bytes(range(256)) * 4096  # 1 MiB
MD5 = "md5:" + hashlib.md5(DATA).hexdigest()
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def one(site):
    """The file on one mirror."""
    return RemoteFile(
        name="data.gz", size=len(DATA), checksum=MD5, urls=(site.folder("a", {"data.gz": DATA}) + "data.gz",)
    )


def two(site, one):
    """The file on a second mirror as well."""
    return replace(one, urls=(*one.urls, site.folder("b", {"data.gz": DATA}) + "data.gz"))


def test_a_file_is_downloaded_and_what_it_was_is_recorded(one, tmp_path, naps):
    path, record = download_file(one, tmp_path, sleep=naps)

    assert path.read_bytes() == DATA
    assert (record.name, record.size, record.sha256) == ("data.gz", len(DATA), SHA256)
    assert record.origin == one.urls[0]
    assert naps == []
    assert [p.name for p in tmp_path.iterdir()] == ["data.gz"]


def test_a_file_already_there_is_verified_and_not_asked_for_again(one, site, tmp_path, naps):
    download_file(one, tmp_path, sleep=naps)
    download_file(one, tmp_path, sleep=naps)

    assert len(site.requests) == 1


def test_a_damaged_file_already_there_is_replaced(one, tmp_path, naps):
    (tmp_path / "data.gz").write_bytes(DATA[:-1] + b"?")

    assert download_file(one, tmp_path, sleep=naps)[0].read_bytes() == DATA


@pytest.mark.parametrize("status", [404, 500, 503, 429])
def test_an_answer_of_failure_is_followed_by_another_try_after_a_pause(one, site, tmp_path, naps, status):
    site.script["/a/data.gz"] = [Answer(status=status)]

    assert download_file(one, tmp_path, sleep=naps)[0].read_bytes() == DATA
    assert len(naps) == 1
    assert 1 <= naps[0] <= 2


def test_the_second_mirror_is_asked_at_once_when_the_first_fails(one, site, tmp_path, naps):
    site.script["/a/data.gz"] = [Answer(status=404)]

    _, record = download_file(two(site, one), tmp_path, sleep=naps)

    assert record.origin.endswith("/b/data.gz")
    assert naps == []


def test_a_download_cut_short_is_resumed_where_it_broke_off(one, site, tmp_path, naps):
    site.script["/a/data.gz"] = [Answer(cut=300_000), Answer(cut=400_000)]

    assert download_file(one, tmp_path, sleep=naps)[0].read_bytes() == DATA
    assert site.asked("/a/data.gz") == [None, "bytes=300000-", "bytes=700000-"]


def test_a_download_interrupted_in_another_process_is_resumed(one, site, tmp_path, naps):
    def die(_):
        raise KeyboardInterrupt

    site.script["/a/data.gz"] = [Answer(cut=300_000)]
    with pytest.raises(KeyboardInterrupt):
        download_file(one, tmp_path, sleep=die)

    assert download_file(one, tmp_path, sleep=naps)[0].read_bytes() == DATA
    assert site.asked("/a/data.gz")[-1] == "bytes=300000-"


def test_a_server_without_ranges_begins_again(one, site, tmp_path, naps):
    site.script["/a/data.gz"] = [Answer(cut=300_000), Answer(ranges=False)]

    assert download_file(one, tmp_path, sleep=naps)[0].read_bytes() == DATA


def test_a_range_that_was_not_asked_for_is_never_appended(one, site, tmp_path, naps):
    site.script["/a/data.gz"] = [Answer(cut=300_000), Answer(content_range="bytes 0-9/1048576"), Answer()]

    assert download_file(one, tmp_path, sleep=naps)[0].read_bytes() == DATA
    assert len(site.requests) == 3


def test_a_resumed_file_that_changed_meanwhile_is_begun_anew(one, site, tmp_path, naps):
    site.script["/a/data.gz"] = [Answer(cut=300_000, content=b"x" * len(DATA))]

    assert download_file(one, tmp_path, sleep=naps)[0].read_bytes() == DATA
    assert site.asked("/a/data.gz") == [None, "bytes=300000-", None]


def test_a_file_of_unknown_length_is_complete_when_its_checksum_is_right(site, tmp_path, naps):
    url = site.folder("a", {"own.npz": DATA}) + "own.npz"
    site.script["/a/own.npz"] = [Answer(announce=False)]

    _, record = download_file(
        RemoteFile(name="own.npz", checksum=f"sha256:{SHA256}", urls=(url,)), tmp_path, sleep=naps
    )

    assert record.size == len(DATA)


def test_a_wrong_checksum_everywhere_is_invalid_input_and_leaves_nothing_to_open(one, site, tmp_path, naps):
    site.files["/a/data.gz"] = DATA[:-1] + b"?"

    with pytest.raises(
        InvalidInput, match=r"no mirror has the right data\.gz: .*md5 [0-9a-f]{32}; allowed: md5 [0-9a-f]{32}"
    ):
        download_file(one, tmp_path, sleep=naps)
    assert list(tmp_path.iterdir()) == []
    assert len(site.requests) == 2, "once may be damage on the way"


def test_a_wrong_checksum_on_the_first_mirror_leads_to_the_second(one, site, tmp_path, naps):
    both = two(site, one)
    site.files["/a/data.gz"] = DATA[:-1] + b"?"

    _, record = download_file(both, tmp_path, sleep=naps)

    assert record.origin.endswith("/b/data.gz")


def test_a_file_of_another_announced_size_is_not_downloaded(one, site, tmp_path, naps):
    site.files["/a/data.gz"] = DATA + b"more"

    with pytest.raises(InvalidInput, match=re.escape("1,048,580 bytes; allowed: 1,048,576 bytes")):
        download_file(one, tmp_path, sleep=naps)


def test_a_file_without_end_is_cut_off(one, site, tmp_path, naps):
    site.script["/a/data.gz"] = [Answer(announce=False, content=DATA * 4)] * 2

    with pytest.raises(InvalidInput, match="does not end where it should; allowed: 1,048,576 bytes"):
        download_file(one, tmp_path, sleep=naps)


def test_a_server_that_always_fails_is_transient_after_all_rounds(one, site, tmp_path, naps):
    site.script["/a/data.gz"] = [Answer(status=503)] * 99

    with pytest.raises(Transient, match="503") as caught:
        download_file(one, tmp_path, sleep=naps)
    assert caught.value.exit_code == 75
    assert len(site.requests) == ROUNDS
    assert naps == sorted(naps), "the pauses grow"


def test_a_server_that_cannot_be_reached_is_transient(tmp_path, naps):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/data.gz"

        with pytest.raises(Transient, match=r"data\.gz could not be downloaded"):
            download_file(RemoteFile(name="data.gz", size=1, urls=(url,)), tmp_path, sleep=naps)


def test_a_file_that_no_mirror_has_is_invalid_input(site, tmp_path, naps):
    with pytest.raises(InvalidInput, match=r"404.*DATASETS_DIR"):
        download_file(RemoteFile(name="no.gz", urls=(f"{site.url}/no.gz",)), tmp_path, sleep=naps)


def test_secrets_in_a_url_are_not_recorded(site, tmp_path, naps):
    url = site.folder("a", {"data.gz": DATA}) + "data.gz?token=secret"

    _, record = download_file(RemoteFile(name="data.gz", urls=(url,)), tmp_path, sleep=naps)

    assert "secret" not in record.origin
