"""As many cores as the affinity and the container's CPU quota allow, and at least one."""

from __future__ import annotations

import os

import pytest

from experiment.cores import usable_cores

V2, V1 = "0::{}\n", "12:pids:/x\n4:cpu,cpuacct:{}\n1:name=systemd:/x\n0::/x\n"


@pytest.fixture(autouse=True)
def eight(monkeypatch):
    """A machine whose affinity allows 8 cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


def machine(tmp_path, cgroup, files):
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(cgroup)
    for name, content in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


@pytest.mark.parametrize(
    ("cgroup", "files", "cores"),
    [
        (V2.format("/"), {"cpu.max": "50000 100000\n"}, 1),
        (V2.format("/"), {"cpu.max": "250000 100000\n"}, 2),
        (V2.format("/"), {"cpu.max": "max 100000\n"}, 8),
        (V2.format("/"), {"cpu.max": "1600000 100000\n"}, 8),
        (V2.format("/"), {}, 8),
        (V2.format("/user/job"), {"user/job/cpu.max": "max 100000\n", "user/cpu.max": "300000 100000\n"}, 3),
        (V2.format("/user/job"), {"user/job/cpu.max": "100000 100000\n", "user/cpu.max": "300000 100000\n"}, 1),
        (V2.format("/of/the/host"), {"cpu.max": "200000 100000\n"}, 2),
        (V2.format("/../other"), {"cpu.max": "200000 100000\n"}, 2),
        (V1.format("/"), {"cpu,cpuacct/cpu.cfs_quota_us": "50000\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"}, 1),
        (V1.format("/"), {"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4),
        (V1.format("/"), {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        (V1.format("/docker/ab"), {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        (V1.format("/a"), {"cpu/a/cpu.cfs_quota_us": "600000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 6),
        (V1.format("/"), {"unified/x/cpu.max": "200000 100000\n"}, 2),
        (V2.format("/"), {"cpu.max": "\n"}, 8),
        (V2.format("/"), {"cpu.max": "0 0\n"}, 8),
        ("", {"cpu.max": "100000 100000\n"}, 8),
    ],
)
def test_the_smallest_quota_around_the_process_counts(tmp_path, cgroup, files, cores):
    assert usable_cores(machine(tmp_path, cgroup, files)) == cores


def test_where_there_are_no_control_groups_the_affinity_counts(tmp_path, monkeypatch):
    assert usable_cores(tmp_path) == 8
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores(tmp_path) == 1


def test_this_machine_has_a_core():
    assert usable_cores() >= 1
