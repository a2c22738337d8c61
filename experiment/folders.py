"""Lists the files under a folder, through links. A folder that cannot be read is an error, so that no file seems missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from experiment.errors import InvalidInput

Identity = tuple[int, int]  # device and inode of a folder


def walk_files(folder: Path) -> Iterator[Path]:
    """Yields the files under a folder except hidden ones, through links too. A folder that does not exist has none.

    Raises:
        InvalidInput: a link leads nowhere.
        OSError: a folder cannot be read.
    """
    try:
        status = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        check_links(folder)
        return
    yield from _walk(folder, frozenset(), (status.st_dev, status.st_ino))


def _walk(folder: Path, parents: frozenset[Identity], identity: Identity) -> Iterator[Path]:
    if identity in parents:
        return  # a link to a folder above: all of it is listed there
    try:
        with os.scandir(folder) as found:
            entries = [entry for entry in found if not entry.name.startswith(".")]
    except NotADirectoryError:
        return  # no key begins with the name of a file and a slash
    except FileNotFoundError:
        return  # the folder was removed after its parent was listed
    for entry in entries:
        path = folder / entry.name
        if entry.is_symlink():
            check_link(path)
        if entry.is_dir():
            status = entry.stat()
            yield from _walk(path, parents | {identity}, (status.st_dev, status.st_ino))
        elif entry.is_file():
            yield path


def check_links(path: Path) -> None:
    """Checks that neither the path nor a folder above it is a link that leads nowhere.

    Raises:
        InvalidInput: there is such a link; the error names it.
    """
    for place in (path, *path.parents):
        if place.is_symlink():
            check_link(place)


def check_link(link: Path) -> None:
    """Checks that a link leads to something.

    Raises:
        InvalidInput: it leads nowhere.
    """
    try:
        link.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        reason = f"is a link to {link.readlink()}, which does not exist"
        raise InvalidInput(f"{link} {reason}; mount or restore that place, or remove the link") from error
