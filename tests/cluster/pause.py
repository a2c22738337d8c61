"""The image of a pod's sandbox: one static program that sleeps until it is told to stop."""

from __future__ import annotations

import hashlib
import io
import json
import pathlib
import tarfile

from tests.cluster.parts import sh

SOURCE = """#include <signal.h>
#include <unistd.h>
static void stop(int s) { _exit(0); }
int main(void) { signal(SIGINT, stop); signal(SIGTERM, stop); for (;;) pause(); }
"""


def pause_image(home: pathlib.Path) -> pathlib.Path:
    """A docker-archive with the image ``localhost/pause:1``."""
    source, program, out = home / "pause.c", home / "pause", home / "pause.tar"
    source.write_text(SOURCE)
    sh("gcc", "-static", "-Os", "-o", program, source)
    layer = _tar({"pause": program.read_bytes()}, mode=0o755)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/pause"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]},
    }
    manifest = [{"Config": "config.json", "RepoTags": ["localhost/pause:1"], "Layers": ["layer.tar"]}]
    files = {
        "layer.tar": layer,
        "config.json": json.dumps(config).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    out.write_bytes(_tar(files))
    return out


def _tar(files: dict[str, bytes], mode: int = 0o644) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), mode
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()
