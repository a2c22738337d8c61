"""Makes an S3 server distant: each request waits for the time of its way there and back, many at once, as in a network.

python -m benchmarks.distant HOST PORT SECONDS    (prints the port that it listens on)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

ENDPOINT = "AWS_ENDPOINT_URL"


@contextlib.contextmanager
def distant_server(delay: float) -> Iterator[None]:
    """Points ``AWS_ENDPOINT_URL`` at a process that delays each request by that many seconds; 0 changes nothing."""
    if not delay:
        yield
        return
    url = os.environ.get(ENDPOINT, "")
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise SystemExit(f"error: {ENDPOINT} is {url!r}; allowed with --delay: http://HOST:PORT; set it")
    command = [sys.executable, "-m", "benchmarks.distant", parts.hostname, str(parts.port or 80), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            os.environ[ENDPOINT] = f"http://127.0.0.1:{int(process.stdout.readline())}"
            yield
        finally:
            os.environ[ENDPOINT] = url
            process.terminate()


async def serve_delayed(host: str, port: int, delay: float) -> None:
    """Passes connections on until the process ends."""
    held: set[asyncio.Task[None] | None] = set()  # asyncio holds a waiting task only by what it waits for

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.add(asyncio.current_task())
        answers, requests = await asyncio.open_connection(host, port)
        await asyncio.gather(pass_on(reader, requests, delay), pass_on(answers, writer, 0))
        held.discard(asyncio.current_task())

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, delay: float) -> None:
    """Writes what arrives, that many seconds after it arrived."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ConnectionError):
        while data := await source.read(1 << 16):
            if delay:
                loop.call_later(delay, target.write, data)
            else:
                target.write(data)
    loop.call_later(delay, target.close)


if __name__ == "__main__":
    asyncio.run(serve_delayed(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
