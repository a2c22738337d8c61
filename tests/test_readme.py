"""Every command and flag that README and docs name exists: what a reader copies works."""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"python3? -m ((?:k8s|trainer|aggregator)[\w.]*)([^`\n|;&#]*)")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def commands() -> list[tuple[str, str, str]]:
    """(text, module, arguments) of every command of the suite's own in the texts, continued lines joined."""
    found = []
    for text in TEXTS:
        joined = re.sub(r"\\\n\s*", " ", text.read_text())
        found += [(text.name, m[1].rstrip("."), m[2]) for m in COMMAND.finditer(joined)]
    return found


@functools.cache
def flags(module: str) -> frozenset[str]:
    """The flags that a program's help names."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, cwd=ROOT, timeout=120
    )

    assert done.returncode == 0, f"{module}: {done.stderr}"
    return frozenset(FLAG.findall(done.stdout))


def test_every_program_named_exists_and_knows_the_flags_it_is_given():
    unknown = [
        f"{text}: {module} {f}"
        for text, module, rest in commands()
        for f in FLAG.findall(rest)
        if f not in flags(module)
    ]

    assert commands(), "README names no command"
    assert unknown == []


def test_every_grid_named_is_built_in():
    named = {g for text in TEXTS for g in re.findall(r"--grid ([a-z-]+)\b(?!\.toml)", text.read_text())}

    assert named <= {p.stem for p in (ROOT / "experiment" / "grids").glob("*.toml")}


def test_every_make_target_named_exists():
    named = {t for text in TEXTS for t in re.findall(r"(?:`|^|\$ )make ([a-z]+)", text.read_text(), re.MULTILINE)}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named
    assert named <= targets


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t.name)
def test_every_file_that_is_linked_to_exists(text):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text.read_text())

    assert [link for link in links if not (text.parent / link).exists()] == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t.name)
def test_shell_blocks_can_be_read_by_a_shell(text):
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", text.read_text(), re.DOTALL):
        shlex.split(block, comments=True)


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t.name)
def test_every_path_of_the_repository_that_is_named_exists(text):
    folders = "experiment|trainer|k8s|aggregator|benchmarks|docker|docs|requirements|tests"
    paths = re.findall(rf"`((?:{folders})/[\w/.-]+)`", text.read_text())

    assert [p for p in paths if not re.search("[A-Z]{4}", p) and not (ROOT / p).exists()] == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda t: t.name)
def test_every_dotted_name_of_the_suite_is_defined(text):
    names = re.findall(r"`((?:experiment|trainer|k8s|aggregator|benchmarks)(?:\.\w+)+)", text.read_text())

    assert [n for n in names if not n.endswith(".txt") and not is_defined(*n.split("."))] == []


def is_defined(*parts: str) -> bool:
    """Whether a dotted name is a module, or a name at the top of the module before it."""
    module = ROOT.joinpath(*parts[:-1]).with_suffix(".py")
    defines = re.compile(rf"^(?:(?:async )?def |class )?{parts[-1]}\b", re.MULTILINE)
    whole = ROOT.joinpath(*parts)

    if whole.is_dir() or whole.with_suffix(".py").exists():
        return True
    return module.exists() and bool(defines.search(module.read_text()))
