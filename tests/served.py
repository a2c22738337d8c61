"""Servers of tests that answer, in a thread of their own, while a block runs."""

from __future__ import annotations

import socketserver
import threading
from typing import Self


class Served(socketserver.BaseServer):
    """A mixin for a threading server: it serves until its block ends."""

    daemon_threads = True
    request_queue_size = 128  # clients connect many times at once

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
