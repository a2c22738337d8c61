"""A thousand cells under 10 % faults: ``python -m benchmarks.faults [--cells 1000]``.

The real launcher on this machine, trainers that only pretend, and an S3 server (moto) of which one request in ten fails: it
is refused, cut off, or done without an answer. One attempt in ten is killed or fails. Checked are that every cell is
committed exactly once and that each got the attempts that are promised, no more.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import tempfile
from pathlib import Path

import boto3
from moto.server import ThreadedMotoServer

from tests.k8s.rough_run import FailingProxy, RoughRun

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "tester",
    "AWS_SECRET_ACCESS_KEY": "tester-password",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def start_server() -> str:
    """Starts an S3 server in this process, with a bucket ``faults``; returns its URL."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ.update(ENVIRONMENT)
    boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket="faults")
    return f"http://{host}:{port}"


def main() -> int:
    """Launches until the run is complete and prints one JSON object; an assertion fails where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, FailingProxy(start_server(), arguments.seed) as proxy:
        os.environ["AWS_ENDPOINT_URL"] = proxy.url
        run = RoughRun(Path(folder), "s3://faults/store", cells=arguments.cells, workers=arguments.workers)
        code, first = run.launch()
        run.check_first_launch(code)
        code, second = run.launch()
        run.check_last_launch(code)
        found = {
            "cells_committed_once": arguments.cells,
            "attempts": run.events("begin").total(),
            "failed_attempts": sum(map(len, run.ends.values())),
            "requests": proxy.requests,
            "failed_requests": proxy.failed,
            "requests_per_cell": round(proxy.requests / arguments.cells, 1),
            "seconds": [round(first), round(second)],
        }
    print(json.dumps(found, indent=1), flush=True)
    os._exit(0)  # the server's threads do not end by themselves


if __name__ == "__main__":
    raise SystemExit(main())
