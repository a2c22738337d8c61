"""Temporary files: removed at the end, and their faults named by what may be done about them."""

import errno
import os

import pytest

from experiment.errors import InvalidInput, Transient
from trainer.model.scratch import scratch_file


def test_the_folder_is_removed_at_the_end():
    with scratch_file("file") as path:
        path.write_bytes(b"data")

    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("code", "kind"),
    [(errno.ENOSPC, Transient), (errno.EDQUOT, Transient), (errno.EROFS, InvalidInput), (errno.EACCES, InvalidInput)],
)
def test_a_full_disk_may_have_room_later_and_a_folder_that_cannot_be_written_is_refused(code, kind):
    words = r"file cannot be written .*allowed: a temporary folder .*; set TMPDIR"
    with pytest.raises(kind, match=words), scratch_file("file"):
        raise OSError(code, os.strerror(code))
