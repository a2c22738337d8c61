"""Fixtures of other surroundings: users without rights, file systems that lack something, S3 servers of another kind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.experiment.servers import Answering

NOBODY = 65534
DROP_RIGHTS = f"""
import os
import experiment.store
if os.getuid() == 0:
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
"""


@pytest.fixture
def shared_folder(monkeypatch):
    """A folder that every user may read and write, with the temporary files of this test in it."""
    folder = Path(tempfile.mkdtemp()).resolve()
    folder.chmod(0o777)
    (folder / "temporary").mkdir()
    (folder / "temporary").chmod(0o777)
    monkeypatch.setenv("TMPDIR", str(folder / "temporary"))
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o777)
    shutil.rmtree(folder)


@pytest.fixture
def unprivileged():
    """Runs code as a user without rights: another user where the tests run as root, else this one."""

    def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", DROP_RIGHTS + code, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    return run


@pytest.fixture
def preloaded(tmp_path):
    """Runs code in a process whose system calls are replaced by those of a C source, as another file system has them."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler: file systems without locks or links cannot be imitated")

    def run(source: str, code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        library, text = tmp_path / "stub.so", tmp_path / "stub.c"
        text.write_text(source)
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, text], check=True)
        command = [sys.executable, "-c", code, *map(str, arguments)]
        env = {**os.environ, "LD_PRELOAD": str(library)}
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)

    return run


@pytest.fixture
def answering():
    """Starts a server that answers every request with one status and body; returns its URL."""
    started = []

    def start(status: int, body: str = "", form: str = "application/xml") -> str:
        started.append(Answering(status, body, form))
        return started[-1].url

    yield start
    for server in started:
        server.stop()
