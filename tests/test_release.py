"""make release tags what is committed, under the one version that pyproject, CHANGELOG and CITATION name."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2030-01-31\n\n### Added\n\n- Something.\n\n## [1.1.0] - 2029-01-01\n\n- Old.\n"


class Clone:
    """A repository of its own that can be released as 1.2.0."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.git("init", "--quiet")
        for name in ("Makefile", ".ci/release"):
            self.write(name, (ROOT / name).read_text())
        self.write("pyproject.toml", '[project]\nversion = "1.2.0"\n')
        self.write("CITATION.cff", "version: 1.2.0\n")
        self.write("CHANGELOG.md", CHANGELOG)
        self.commit()

    def write(self, name: str, text: str) -> None:
        path = self.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def run(self, *command: str) -> subprocess.CompletedProcess:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "MAKE"))}
        return subprocess.run(command, cwd=self.home, env=env, capture_output=True, text=True, timeout=60)

    def git(self, *arguments: str) -> str:
        settings = ("-c", "user.name=Someone", "-c", "user.email=someone@example.org")
        done = self.run("git", *settings, *arguments)

        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "A change")

    def release(self) -> subprocess.CompletedProcess:
        self.git("config", "user.name", "Someone")
        self.git("config", "user.email", "someone@example.org")
        return self.run("make", "release")


@pytest.fixture
def clone(tmp_path):
    """A repository that can be released."""
    return Clone(tmp_path)


def test_a_clean_tree_with_its_section_is_tagged_with_what_changed(clone):
    done = clone.release()

    assert done.returncode == 0, done.stderr
    assert clone.git("rev-parse", "v1.2.0^{commit}") == clone.git("rev-parse", "HEAD")
    message = clone.git("tag", "--list", "--format=%(contents)")
    assert message.splitlines() == ["collaborative-ensembles 1.2.0", "", "", "### Added", "", "- Something."]
    assert "git push origin v1.2.0" in done.stdout


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("CHANGELOG.md", "## [Unreleased]\n\n- Something.\n", "no dated section of 1.2.0; allowed: '## [1.2.0] - "),
        ("CHANGELOG.md", "## [1.2.0]\n", "no dated section of 1.2.0"),
        ("CHANGELOG.md", "## [1x2.0] - 2030-01-31\n", "no dated section of 1.2.0"),
        ("CITATION.cff", "version: 1.2.0.dev0\n", "CITATION.cff names another version"),
    ],
)
def test_a_version_that_a_file_does_not_name_is_not_tagged(clone, file, text, said):
    clone.write(file, text)
    clone.commit()
    done = clone.release()

    assert said in done.stderr
    assert done.returncode != 0
    assert clone.git("tag", "--list") == ""


@pytest.mark.parametrize("file", ["Makefile", "forgotten.py"])
def test_what_is_not_committed_is_not_released(clone, file):
    clone.write(file, (ROOT / "Makefile").read_text() + "\n")
    done = clone.release()

    assert "error: the tree has changes" in done.stderr
    assert clone.git("tag", "--list") == ""


def test_a_version_is_released_once(clone):
    clone.release()
    first = clone.git("rev-parse", "v1.2.0")
    clone.write("more", "more")
    clone.commit()
    done = clone.release()

    assert "v1.2.0 is there already" in done.stderr
    assert clone.git("rev-parse", "v1.2.0") == first
