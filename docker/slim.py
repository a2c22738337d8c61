"""Runs in the builder stages: takes out of the virtual environment what no program here uses, then compiles the rest.

The named parts serve to compile against a library, to test it, or to talk to servers that the suite does not use. A name
that its package no longer has fails the build, so the list stays true.
"""

from __future__ import annotations

import compileall
import py_compile
import shutil
import sys
import sysconfig
from pathlib import Path

UNUSED = {
    "tensorflow": ["include"],  # headers for custom operators
    "nvidia": ["*/include"],
    "pyarrow": ["include", "tests", "libarrow_flight.so*", "_flight.*.so"],
    "pandas": ["tests"],
    "kubernetes": ["aio"],  # the same client again, for asyncio
}


def parts(package: Path, patterns: list[str]) -> list[Path]:
    """The files and folders of an installed package that the patterns name; each must name one."""
    if not package.is_dir():
        return []
    found = {pattern: sorted(package.glob(pattern)) for pattern in patterns}
    gone = [pattern for pattern, matches in found.items() if not matches]
    if gone:
        raise SystemExit(f"{package.name} has no {', '.join(gone)} any more: correct UNUSED in docker/slim.py")
    return [path for matches in found.values() for path in matches]


def size(path: Path) -> int:
    """Bytes in a file or folder."""
    return sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file() and not file.is_symlink())


def remove(path: Path) -> None:
    """Deletes a file, a link or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def main(site: Path) -> int:
    """Slims the packages under ``site`` and compiles them, so that a read-only root costs no start-up time."""
    for package, patterns in UNUSED.items():
        for path in parts(site / package, patterns):
            print(f"{size(path) / 1e6:7.1f} MB  {path.relative_to(site)}")
            remove(path)
    # unchecked: the files never change again, and their times may differ from those compiled
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compiled = compileall.compile_dir(site, quiet=2, workers=0, invalidation_mode=unchecked)
    print(f"{size(site) / 1e6:7.1f} MB  remain{'' if compiled else ' (a few files are no Python 3: left uncompiled)'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sysconfig.get_path("purelib"))))
