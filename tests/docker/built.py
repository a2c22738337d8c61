"""The project's images, built here by buildah from their Dockerfiles: once, then from its layers in the user's cache."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "collaborative-ensembles" / "images"
NAMES = ("trainer", "aggregator")
PREFIX, TAG = "localhost/collaborative-ensembles", "test"
BUILDAH = ("buildah", "--root", str(CACHE / "storage"))
# How this machine reaches its package index, if not as everyone does: for the build alone.
PIP_CONF, CA_BUNDLE = Path("/etc/pip.conf"), Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True, kw_only=True)
class Image:
    """A built image: its repository, the id of its configuration, and an OCI archive that holds it."""

    repository: str
    id: str
    archive: Path
    digest: str

    @property
    def reference(self) -> str:
        """The name by which a pod asks for it."""
        return f"{self.repository}@{self.digest}"


def missing() -> str:
    """What this machine lacks for building images; empty if nothing."""
    programs = [p for p in ("buildah", "debootstrap") if not shutil.which(p)]
    return ", ".join([*([] if os.geteuid() == 0 else ["root"]), *programs])


@functools.cache
def build() -> dict[str, Image]:
    """Builds what has changed and returns every image by its short name.

    Raises:
        subprocess.CalledProcessError: a build failed; its output went to stderr.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environment = {**os.environ, "IMAGES_ROOT": str(CACHE / "storage")}
        base = _run(ROOT / "docker" / "base.sh", env=environment).split()[-1]
        environment |= {"BUILDER": "buildah", "BASE_IMAGE": base, "IMAGE_PREFIX": PREFIX, "IMAGE_TAG": TAG}
        environment |= {"PIP_CONF": str(PIP_CONF)} if PIP_CONF.exists() else {}
        environment |= {"CA_BUNDLE": str(CA_BUNDLE)} if CA_BUNDLE.exists() else {}
        _run(ROOT / "docker" / "build.sh", *NAMES, env=environment)
        return {name: _archived(name) for name in NAMES}


def _archived(name: str) -> Image:
    repository = f"{PREFIX}/{name}"
    identity = inspect(f"{repository}:{TAG}")["FromImageID"]
    archive, digest = CACHE / f"{name}-{identity}.oci.tar", CACHE / f"{name}-{identity}.digest"
    if not digest.exists():
        for old in CACHE.glob(f"{name}-*"):
            old.unlink()
        _run(
            *BUILDAH,
            "push",
            "--quiet",
            f"--digestfile={digest}.part",
            f"{repository}:{TAG}",
            f"oci-archive:{archive}:{TAG}",
        )
        Path(f"{digest}.part").rename(digest)
    return Image(repository=repository, id=identity, archive=archive, digest=digest.read_text().strip())


def inspect(image: str) -> dict:
    """What buildah knows of an image."""
    return json.loads(_run(*BUILDAH, "inspect", "--type", "image", image))


@contextlib.contextmanager
def mounted(image: str) -> Iterator[tuple[str, Path]]:
    """A container of an image and the folder that holds its root file system, for as long as the block runs."""
    container = _run(*BUILDAH, "from", "--pull-never", image).strip()
    try:
        yield container, Path(_run(*BUILDAH, "mount", container).strip())
    finally:
        _run(*BUILDAH, "rm", container)


def _run(*command: object, env: dict[str, str] | None = None) -> str:
    return subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, text=True, env=env, check=True).stdout


if __name__ == "__main__":  # beforehand, while something else has the processors
    build()
