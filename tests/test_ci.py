"""The exit code of .ci/run is that of its parts, whatever still runs beside when it ends."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

RUN = (Path(__file__).parent.parent / ".ci/run").read_text()


@pytest.mark.parametrize("beside", ["", "sleep 60 &", "true & wait $!"], ids=["nothing", "running", "ended"])
@pytest.mark.parametrize("code", [0, 1])
def test_the_end_of_a_run_keeps_its_exit_code_and_leaves_nothing(beside: str, code: int, tmp_path: Path):
    begin, end = RUN.index("log=$(mktemp -d)"), RUN.index("finish()")
    script = f"set -euo pipefail\n{RUN[begin:end]}{beside}\necho process $(jobs -p)\nexit {code}"
    env = {"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (code, "")
    assert not list(tmp_path.iterdir())
    for process in done.stdout.split()[1:]:
        status = Path("/proc", process, "status")
        assert not status.exists() or "zombie" in status.read_text()
