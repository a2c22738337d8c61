"""What the Dockerfiles, the ignore file, the builder's choice of a tool and the slimming of packages promise, without a build."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))


def load_slim():
    """docker/slim.py as a module: it belongs to no package."""
    spec = importlib.util.spec_from_file_location("slim", ROOT / "docker" / "slim.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ignored_but_for():
    """The paths that .dockerignore lets into a build."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    return {line[1:] for line in lines if line.startswith("!")}


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda p: p.stem)
def test_whatever_a_dockerfile_copies_from_the_repository_is_there_and_in_the_context(dockerfile):
    text = dockerfile.read_text()
    copied = [w for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE) for w in line.split()]
    names = [w.replace("${REQUIREMENTS}", r) for w in copied for r in ("trainer-cpu", "trainer-gpu")]

    assert names
    assert [n for n in names if not (ROOT / n).exists()] == []
    assert set(names) <= ignored_but_for()


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda p: p.stem)
def test_a_dockerfile_installs_locked_hashed_wheels_and_ends_as_a_numbered_user(dockerfile):
    text = dockerfile.read_text()
    last = text[text.rindex("\nFROM ") :]

    assert "--require-hashes --only-binary :all:" in text
    assert "USER 10001:10001" in last
    assert "pip install" not in last
    assert "ADD " not in text


@pytest.mark.parametrize("requirements", ["trainer-cpu", "trainer-gpu", "aggregator", "k8s"])
def test_every_requirement_of_an_image_is_pinned_and_hashed(requirements):
    text = (ROOT / "requirements" / f"{requirements}.txt").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]

    assert len(lines) > 10
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_the_requirements_that_share_an_image_agree():
    def pins(name):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        return {
            (package, condition): version
            for package, version, condition in re.findall(r"^(\S+)==(\S+)(.*) \\$", text, re.MULTILINE)
        }

    one, other = pins("aggregator"), pins("k8s")

    assert one.keys() & other.keys()
    assert {p: (one[p], other[p]) for p in one.keys() & other.keys() if one[p] != other[p]} == {}


@pytest.fixture
def tools(tmp_path):
    """A folder for programs that write down how they were called; ``make(name, script)`` puts one there."""
    log = tmp_path / "calls"
    (tmp_path / "bin").mkdir()

    def make(name, body="exit 0"):
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {log}\n{body}\n')
        program.chmod(0o755)

    def build(*arguments, **environment):
        kept = {k: v for k, v in os.environ.items() if k not in ("BUILDER", "BASE_IMAGE", "PIP_CONF", "CA_BUNDLE", "IMAGES_ROOT", "IMAGE_PREFIX", "IMAGE_TAG")}  # fmt: skip
        kept["PATH"] = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run([ROOT / "docker" / "build.sh", *arguments], env=kept | environment, capture_output=True, text=True, check=False)  # fmt: skip
        return done, log.read_text() if log.exists() else ""

    make.build = build
    return make


@pytest.mark.parametrize(
    ("broken", "chosen"),
    [((), "docker buildx build"), (("docker",), "podman build"), (("docker", "podman"), "buildah bud")],
)
def test_the_first_tool_that_works_builds(tools, broken, chosen):
    for name in ("docker", "podman", "buildah"):
        tools(name, "exit 1" if name in broken else "exit 0")

    done, calls = tools.build("aggregator")

    assert done.returncode == 0, done.stderr
    built = [line for line in calls.splitlines() if "-f docker/aggregator.Dockerfile" in line]
    assert len(built) == 1
    assert built[0].startswith(chosen)
    assert "by tag, not by digest" in done.stderr


def test_a_machine_without_a_working_tool_is_told_what_to_install(tools):
    for name in ("docker", "podman", "buildah"):
        tools(name, "exit 1")

    done, _ = tools.build()

    assert done.returncode == 1
    assert done.stderr.startswith("error: no docker")


def test_an_unknown_image_is_refused_with_what_is_allowed(tools):
    tools("docker")

    done, calls = tools.build("trainr")

    assert done.returncode == 1
    assert "image 'trainr'; it may be trainer, trainer-gpu or aggregator" in done.stderr
    assert " -f " not in calls


def test_the_gpu_image_is_the_same_dockerfile_with_other_requirements(tools):
    tools("docker")

    done, calls = tools.build(
        "trainer-gpu", BASE_IMAGE="python@sha256:" + "0" * 64, PIP_CONF="/some/pip.conf", IMAGE_TAG="7"
    )

    assert done.returncode == 0, done.stderr
    assert (
        "--build-arg REQUIREMENTS=trainer-gpu --build-arg LICENSES=Apache-2.0 AND LicenseRef-NVIDIA-Proprietary "
        "-f docker/trainer.Dockerfile -t collaborative-ensembles/trainer-gpu:7 ." in calls
    )
    assert "--secret id=pip.conf,src=/some/pip.conf" in calls
    assert "note:" not in done.stderr


def test_slimming_removes_what_is_named_and_compiles_the_rest(tmp_path, capsys):
    slim = load_slim()
    package = tmp_path / "pandas"
    (package / "tests").mkdir(parents=True)
    (package / "tests" / "test_a.py").write_text("1\n")
    (package / "kept.py").write_text("1\n")

    assert slim.main(tmp_path) == 0

    assert not (package / "tests").exists()
    assert list((package / "__pycache__").glob(f"kept.{sys.implementation.cache_tag}.pyc"))
    assert "pandas/tests" in capsys.readouterr().out


def test_slimming_fails_when_a_name_has_gone_from_its_package(tmp_path):
    (tmp_path / "pandas").mkdir()

    with pytest.raises(SystemExit, match=r"pandas has no tests any more: correct UNUSED in docker/slim\.py"):
        load_slim().main(tmp_path)


def test_the_gpu_image_s_label_names_nvidia_s_licence_or_the_build_ends():
    """The check of the Dockerfile's last stage, run as the build runs it."""
    text = (ROOT / "docker" / "trainer.Dockerfile").read_text()
    (check,) = re.findall(r"^RUN (case .*?esac)$", text, re.MULTILINE | re.DOTALL)

    def judged(requirements, licences):
        environment = {**os.environ, "REQUIREMENTS": requirements, "LICENSES": licences}
        return subprocess.run(["sh", "-c", check], env=environment, capture_output=True, text=True, check=False)

    assert judged("trainer-cpu", "Apache-2.0").returncode == 0
    assert judged("trainer-gpu", "Apache-2.0 AND LicenseRef-NVIDIA-Proprietary").returncode == 0
    refused = judged("trainer-gpu", "Apache-2.0")
    assert refused.returncode == 1
    assert "allowed with trainer-gpu: one that names NVIDIA's" in refused.stderr


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda p: p.stem)
def test_an_image_carries_its_licences_and_its_bill(dockerfile):
    assert "COPY LICENSE NOTICE docker/bills /usr/share/doc/collaborative-ensembles/\n" in dockerfile.read_text()
