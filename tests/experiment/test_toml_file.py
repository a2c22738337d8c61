"""TOML files are read as people have them, and what is none is refused in one line."""

from __future__ import annotations

import pytest

from experiment.errors import InvalidInput
from experiment.toml_file import read_toml


def read(path):
    return read_toml(path, what="the file", advice="check --file")


@pytest.mark.parametrize(
    "content", [b"a = 1\n", b"\xef\xbb\xbfa = 1\n", b"\xef\xbb\xbfa = 1\r\n", b"# \xc3\xa4\na = 1"]
)
def test_a_file_is_read_with_and_without_a_byte_order_mark(content, tmp_path):
    (tmp_path / "x.toml").write_bytes(content)

    assert read(tmp_path / "x.toml") == {"a": 1}


def test_a_tilde_is_the_user_s_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "x.toml").write_text("a = 1")

    assert read(type(tmp_path)("~/x.toml")) == {"a": 1}


@pytest.mark.parametrize(
    "content", [b"\xff\xfea\x00", b"a = '\xe4'", None, "missing"], ids=["UTF-16", "Latin 1", "folder", "no"]
)
def test_what_cannot_be_read_is_refused(content, tmp_path):
    path = tmp_path / "x.toml"
    if content is None:
        path.mkdir()
    elif content != "missing":
        path.write_bytes(content)
    with pytest.raises(
        InvalidInput, match=r"the file is '.*x.toml'; allowed: a readable UTF-8 TOML file; check --file \("
    ):
        read(path)


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="allowed: a readable UTF-8 TOML file"):
        read(tmp_path / "a\0.toml")


@pytest.mark.parametrize("content", ["a = ", "a", "a = 1\na = 2", "[a", "a = " + "[" * 100_000])
def test_what_is_no_toml_is_refused_in_one_line(content, tmp_path):
    (tmp_path / "x.toml").write_text(content)
    with pytest.raises(InvalidInput, match=r"x\.toml is not TOML") as caught:
        read(tmp_path / "x.toml")

    assert "\n" not in str(caught.value)
