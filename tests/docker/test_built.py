"""What is in the built images, and what is not."""

from __future__ import annotations

import re
import stat
import subprocess
import tomllib

import pytest

from tests.docker import built

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]
VERSION = tomllib.loads((built.ROOT / "pyproject.toml").read_text())["project"]["version"]
LIMITS = {"trainer": 550e6, "aggregator": 250e6}  # bytes of the compressed archive, as a registry would store it
IMPORTS = {
    "trainer": ["tensorflow", "keras", "safetensors", "sklearn", "boto3", "pyarrow.parquet", "experiment"],
    "aggregator": [
        "pandas",
        "matplotlib",
        "scipy",
        "jinja2",
        "kubernetes",
        "yaml",
        "boto3",
        "pycurl",
        "pyarrow.parquet",
        "experiment",
    ],
}
ABSENT = {
    "trainer": ["kubernetes", "pandas", "matplotlib", "k8s", "aggregator"],
    "aggregator": ["tensorflow", "keras", "sklearn", "trainer"],
}
BUILD_TOOLS = ["pip", "setuptools", "wheel", "ensurepip"]


@pytest.fixture(scope="module", params=built.NAMES)
def name(request):
    """The short name of an image."""
    return request.param


@pytest.fixture(scope="module")
def container(images, name):
    """A container of the image, and its root file system."""
    with built.mounted(images[name].id) as found:
        yield found


def python(container, code):
    """What a Python program prints as the image's own user."""
    run = [*built.BUILDAH, "run", "--isolation", "chroot", container[0], "python", "-c", code]
    return subprocess.run(run, capture_output=True, text=True, check=False)


def test_an_image_runs_as_a_numbered_user_and_says_what_it_was_built_from(images, name):
    config = built.inspect(images[name].id)["OCIv1"]["config"]

    assert config["User"] == "10001:10001"  # by number: runAsNonRoot refuses names
    assert config["Entrypoint"] == ["python", "-m", name]
    labels = {k.removeprefix("org.opencontainers.image."): v for k, v in config["Labels"].items()}
    assert labels["version"] == VERSION
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", labels["revision"])
    assert f"GIT_COMMIT={labels['revision']}" in config["Env"]
    assert labels["licenses"] == "Apache-2.0"


def test_an_image_imports_what_it_runs_and_holds_nothing_of_the_other_parts(container, name):
    assert python(container, f"import {', '.join(IMPORTS[name])}").stderr.count("Traceback") == 0
    absent = python(
        container,
        f"""
import importlib.util
print([m for m in {ABSENT[name] + BUILD_TOOLS} if importlib.util.find_spec(m)])
""",
    )

    assert absent.stdout.strip() == "[]", absent.stderr


def test_an_image_has_no_installer_or_compiler(container):
    root = container[1]
    tools = {"pip", "pip3", "gcc", "cc", "g++", "make", "ld", "git", "curl", "wget"}
    found = [
        p
        for folder in ("usr/bin", "usr/local/bin", "opt/venv/bin")
        for p in (root / folder).glob("*")
        if p.name in tools
    ]

    assert found == []


def test_no_file_of_an_image_raises_privileges(container):
    raising = [
        path
        for path in container[1].rglob("*")
        if not path.is_symlink() and path.is_file() and path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)
    ]

    assert raising == []


def test_the_user_of_an_image_owns_nothing_and_can_write_to_tmp_alone(container):
    probe = """
import os
for folder, folders, files in os.walk('/'):
    folders[:] = [f for f in folders if os.path.join(folder, f) not in ('/proc', '/sys', '/dev')]
    for place in [folder, *(os.path.join(folder, f) for f in files)]:
        if not os.path.islink(place) and os.access(place, os.W_OK):
            print(place)
"""
    writable = [
        p for p in python(container, probe).stdout.split() if not p.startswith(("/tmp", "/var/tmp", "/run/lock"))
    ]

    assert writable == []


def test_nothing_of_the_machine_that_built_an_image_is_in_it(images, container, name):
    root = container[1]
    told = str(built.inspect(images[name].id))

    assert not (root / "etc" / "pip.conf").exists()
    if built.PIP_CONF.exists():
        addresses = re.findall(r"https?://\S+", built.PIP_CONF.read_text())
        assert not [a for a in addresses if a in told]
    if built.CA_BUNDLE.exists():
        assert "END CERTIFICATE" in built.CA_BUNDLE.read_text()
        base = _base_certificates()
        assert (root / "etc/ssl/certs/ca-certificates.crt").read_bytes() == base
    assert {p.name for p in (root / "app").iterdir()} == {
        "experiment",
        *({"trainer"} if name == "trainer" else {"aggregator", "k8s"}),
    }
    assert not list((root / "app").rglob("__pycache__"))


def _base_certificates() -> bytes:
    with built.mounted("localhost/python:3.11-bookworm") as (_, root):
        return (root / "etc/ssl/certs/ca-certificates.crt").read_bytes()


def test_libraries_are_compiled_so_that_a_read_only_root_costs_no_time(container):
    site = container[1] / "opt/venv/lib/python3.11/site-packages"
    sources = list((site / "pyarrow").glob("*.py"))

    assert sources
    assert [p for p in sources if not (p.parent / "__pycache__" / f"{p.stem}.cpython-311.pyc").exists()] == []


def test_an_image_stays_small(images, name):
    assert images[name].archive.stat().st_size < LIMITS[name]
