"""``python -m k8s`` lists the verbs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from k8s import verbs

ROOT = Path(__file__).parents[2]


def test_the_package_alone_lists_its_verbs_and_they_are_all_there_are():
    done = subprocess.run([sys.executable, "-m", "k8s"], capture_output=True, text=True, cwd=ROOT, check=False)
    programs = {f.stem for f in (ROOT / "k8s").glob("*.py") if "__main__" in f.read_text() and f.stem != "__main__"}

    assert (done.returncode, done.stdout) == (2, "")
    assert set(verbs.VERBS) == programs
    assert all(f"python -m k8s.{verb} " in done.stderr for verb in verbs.VERBS)
