"""The audit of the locked packages tells found, none and could-not-ask apart, and only the first fails."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUG = {"id": "PYSEC-2030-1", "aliases": ["CVE-2030-9"], "fix_versions": ["2.0"]}


@pytest.fixture
def audit(tmp_path):
    """Runs the audit with a program in the place of pip-audit."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / ".ci" / "audit", tmp_path / ".ci" / "audit")
    (tmp_path / "requirements" / "dev.txt").write_text("thing==1.0\n")

    def run(packages, *, code=0, accepted="", refuses_several=False):
        answer = json.dumps({"dependencies": packages}) if isinstance(packages, list) else ""
        said = "" if isinstance(packages, list) else packages
        program = tmp_path / "pip-audit"
        guard = 'case "$*" in *--requirement*--requirement*) echo "ERROR: duplicate requirements" >&2; exit 1 ;; esac\n'
        program.write_text(
            f"#!/bin/sh\n{guard if refuses_several else ''}printf '%s' '{answer}'\necho '{said}' >&2\nexit {code}\n"
        )
        program.chmod(0o755)
        (tmp_path / ".ci" / "audit-accepted").write_text(accepted)
        return subprocess.run([tmp_path / ".ci" / "audit", program], capture_output=True, text=True, check=False)

    return run


def test_nothing_found_is_said_with_the_number_of_packages_asked_about(audit):
    done = audit([{"name": "thing", "version": "1.0", "vulns": []}])

    assert (done.returncode, done.stdout) == (0, "pip-audit asked about 1 packages: 0 known vulnerabilities\n")


def test_each_lock_is_asked_about_by_itself_and_a_package_of_several_counts_once(audit, tmp_path):
    """pip-audit refuses files that name a package twice."""
    (tmp_path / "requirements" / "k8s.txt").write_text("thing==1.0\n")
    done = audit([{"name": "thing", "version": "1.0", "vulns": []}], refuses_several=True)

    assert (done.returncode, done.stdout) == (0, "pip-audit asked about 1 packages: 0 known vulnerabilities\n")


def test_a_found_vulnerability_fails_with_its_id_and_what_to_do(audit):
    done = audit([{"name": "thing", "version": "1.0", "vulns": [BUG]}], code=1)

    assert done.returncode == 1
    assert "error: thing 1.0 has PYSEC-2030-1, fixed in 2.0; raise it, or add the id" in done.stdout


@pytest.mark.parametrize("name", ["PYSEC-2030-1", "CVE-2030-9"])
def test_an_accepted_one_is_counted_and_does_not_fail(audit, name):
    done = audit(
        [{"name": "thing", "version": "1.0", "vulns": [BUG]}], code=1, accepted=f"# ids\n{name} not reached here\n"
    )

    assert done.returncode == 0
    assert "1 known vulnerabilities, 1 of them accepted" in done.stdout


def test_an_id_without_a_reason_is_not_accepted(audit):
    done = audit([{"name": "thing", "version": "1.0", "vulns": [BUG]}], code=1, accepted="CVE-2030-9\n")

    assert done.returncode == 1


@pytest.mark.parametrize("said", ["ERROR: connection refused", ""])
def test_a_service_that_cannot_be_reached_is_loud_and_does_not_fail(audit, said):
    done = audit(said, code=1)

    assert done.returncode == 0
    assert done.stdout.startswith("warning: pip-audit could not ask about any package")
    assert "0 known" not in done.stdout


def test_packages_that_the_service_does_not_know_are_not_called_safe(audit):
    """pip-audit itself says that nothing was found, and ends with 0."""
    skipped = {"name": "other", "skip_reason": "Dependency not found on the index"}
    done = audit([{"name": "thing", "version": "1.0", "vulns": []}, skipped])

    assert done.returncode == 0
    assert "warning: pip-audit could not ask about 1 of 2 packages (Dependency not found" in done.stdout
    assert "asked about 1 packages" in done.stdout
