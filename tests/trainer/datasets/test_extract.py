"""Archives packed by an enemy."""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
import zlib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiment.errors import InvalidInput
from tests.trainer.datasets.factories import tar
from trainer.datasets.extract import Limits, read_gzip, read_tar_members

LIMITS = Limits(members=20, member=8 << 20, total=32 << 20)


@pytest.fixture
def archive(tmp_path):
    """Writes bytes as an archive."""

    def write(data: bytes):
        path = tmp_path / "archive.gz"
        path.write_bytes(data)
        return path

    return write


def everything(path, limits=LIMITS):
    return list(read_tar_members(path, limits, lambda _: True))


def odd(name: str, **fields) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def test_the_wanted_files_come_whole_and_in_order(archive):
    files = {"d/a": b"1" * 5_000, "d/b": b"", "d/c": b"3"}
    path = archive(tar(files, odd("d/", type=tarfile.DIRTYPE)))

    assert list(read_tar_members(path, LIMITS, lambda name: name != "d/b")) == [("d/a", files["d/a"]), ("d/c", b"3")]


@pytest.mark.parametrize("name", ["../out", "d/../../out", "/etc/passwd", "d\\..\\out"])
def test_a_path_that_leads_out_is_refused(archive, name):
    with pytest.raises(InvalidInput, match="leads out of the archive"):
        everything(archive(tar({"good": b"1", name: b"2"})))


@pytest.mark.parametrize(
    "info",
    [
        odd("l", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        odd("l", type=tarfile.LNKTYPE, linkname="good"),
        odd("l", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        odd("l", type=tarfile.BLKTYPE),
        odd("l", type=tarfile.FIFOTYPE),
        odd("l", type=tarfile.GNUTYPE_SPARSE),
    ],
    ids=["symlink", "hard link", "character device", "block device", "fifo", "sparse"],
)
def test_a_member_that_is_no_plain_file_is_refused(archive, info):
    with pytest.raises(InvalidInput, match="a link, a device or sparse"):
        everything(archive(tar({"good": b"1"}, info)))


def test_a_member_larger_than_allowed_is_refused_before_it_is_read(archive):
    with pytest.raises(InvalidInput, match=r"'big' has 8,388,609 bytes; allowed: at most 8,388,608"):
        everything(archive(tar({"big": b"1" * ((8 << 20) + 1)})))


def test_too_many_members_are_refused(archive):
    with pytest.raises(InvalidInput, match="more than 20 members"):
        everything(archive(tar({f"{i}": b"" for i in range(21)})))


def test_a_bomb_is_refused_by_its_ratio(archive):
    bomb = tar({f"{i}": bytes(8 << 20) for i in range(3)})

    assert len(bomb) < 200_000
    with pytest.raises(InvalidInput, match="more than 50 times its size"):
        everything(archive(bomb))


def test_a_bomb_is_refused_by_its_size_whatever_its_ratio(archive):
    bomb = tar({f"{i}": bytes(8 << 20) for i in range(5)})

    with pytest.raises(InvalidInput, match="unpacks to more than 33,554,432 bytes"):
        everything(archive(bomb), replace(LIMITS, ratio=10_000))


def test_a_bomb_in_a_header_is_refused_before_it_fills_the_memory(archive):
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb") as packed:
        packed.write(odd("x", type=tarfile.XHDTYPE, size=16 << 20).tobuf(tarfile.USTAR_FORMAT))
        packed.write(bytes(16 << 20))

    with pytest.raises(InvalidInput, match="it holds more than it says"):
        everything(archive(sink.getvalue()), replace(LIMITS, ratio=10_000))


def test_a_member_of_negative_size_is_refused(archive):
    # Python's own tarfile stumbles over it in 3.11.2
    with pytest.raises(InvalidInput, match=r"member 'x' has -512 bytes; allowed: at most|archive\.gz is damaged"):
        everything(archive(gzip.compress(odd("x", size=-512).tobuf(tarfile.GNU_FORMAT) + bytes(1024))))


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_truncated_archive_is_named(archive, share):
    whole = tar({f"{i}": bytes(range(256)) * 100 for i in range(10)})

    with pytest.raises(InvalidInput, match=r"archive\.gz is damaged"):
        everything(archive(whole[: int(len(whole) * share)]))


def test_a_flipped_bit_is_found_by_the_checksum_at_the_end(archive):
    data = bytearray(gzip.compress(zlib.decompress(tar({"a": bytes(range(256)) * 64}), 31), 0))
    data[len(data) // 2] ^= 1

    with pytest.raises(InvalidInput, match="is damaged"):
        everything(archive(bytes(data)))


@pytest.mark.parametrize("data", [b"", b"no gzip", b"\x1f\x8b"])
def test_what_is_no_archive_is_named(archive, data):
    with pytest.raises(InvalidInput, match=r"archive\.gz is damaged"):
        everything(archive(data))


def test_gunzip_gives_the_content(archive):
    assert read_gzip(archive(gzip.compress(b"content")), LIMITS) == b"content"


def test_gunzip_refuses_a_bomb(archive):
    with pytest.raises(InvalidInput, match="is refused"):
        read_gzip(archive(gzip.compress(bytes(64 << 20))), LIMITS)


def test_gunzip_names_a_truncated_file(archive):
    with pytest.raises(InvalidInput, match="is damaged"):
        read_gzip(archive(gzip.compress(bytes(range(256)) * 100)[:-9]), LIMITS)


def test_a_header_that_breaks_the_library_is_damage(archive):
    broken = odd("x", size=3, pax_headers={"GNU.sparse.major": "1", "GNU.sparse.minor": "0"})

    with pytest.raises(InvalidInput, match="is damaged"):
        everything(archive(gzip.compress(broken.tobuf(tarfile.PAX_FORMAT) + b"123".ljust(512, b"\0") + bytes(1024))))


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@given(
    changes=st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 255)), min_size=1, max_size=3), resum=st.booleans()
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_archive_with_random_damage_is_read_or_refused(archive, layout, changes, resum):
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=layout) as packed:
        for name in ("d/short", "d/" + "long" * 50, "d/é"):
            packed.addfile(odd(name, size=3, mtime=1.5), io.BytesIO(b"123"))
    data = bytearray(sink.getvalue().rstrip(b"\0") + bytes(1024))
    for at, value in changes:
        data[at % len(data)] = value
    if resum:  # headers whose checksums are right all the same
        for start in range(0, len(data) - 511, 512):
            head = bytearray(data[start : start + 512])
            if head[257:262] == b"ustar":
                head[148:156] = b" " * 8
                data[start + 148 : start + 156] = b"%06o\0 " % sum(head)

    read = []
    with contextlib.suppress(InvalidInput):
        read = everything(archive(gzip.compress(bytes(data), 0)))

    assert all(
        len(content) <= LIMITS.member and not name.startswith("/") and ".." not in name.split("/")
        for name, content in read
    )
