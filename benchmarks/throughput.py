"""Images per second of a whole grid on this machine, trained by this suite and by its peers in one run.

    python -m benchmarks.throughput [--datasets mnist cifar10] [--rounds 5] [--store URL]

As many ensembles are trained at once as there are cores, with one thread each, or GPUs. The peers take turns, round by
round, so that other load of the machine affects all of them. The median round counts; ratios are surer than figures.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

from benchmarks import worker
from benchmarks.peers import Workload
from experiment import keys, records
from experiment.cores import usable_cores
from experiment.places import share_machine, visible_gpus
from experiment.records import Throughput, utc_now
from experiment.store import open_store

STEPS = 24
WIDTH = 12


class Team:
    """The processes of one peer, one in each slot of the machine."""

    def __init__(self, peer: str, dataset: str, environments: list[dict[str, str]]) -> None:
        command = [sys.executable, "-m", "benchmarks.worker", peer, dataset]
        quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        full = [{**os.environ, **quiet, **env} for env in environments]
        self._processes = [subprocess.Popen(command, text=True, env=env, **pipes) for env in full]
        for process in self._processes:
            if process.stdout.readline().strip() != "ready":
                raise SystemExit(f"{peer} did not start; run {' '.join(command)} to see why")

    def rate(self, steps: int, batch: int) -> float:
        """Returns the images per second of all processes together, which train ``steps`` mini-batches each at the same time."""
        for process in self._processes:
            process.stdin.write(f"{steps}\n")
            process.stdin.flush()
        return sum(steps * batch / float(process.stdout.readline()) for process in self._processes)

    def end(self) -> None:
        """Stops the processes."""
        for process in self._processes:
            process.stdin.close()
            process.wait()


def measure_rates(
    dataset: str, peers: list[str], rounds: int, environments: list[dict[str, str]]
) -> dict[str, list[float]]:
    """Returns, by peer, the images per second of every round."""
    teams = {peer: Team(peer, dataset, environments) for peer in peers}
    batch = Workload(dataset).cell.batch_size
    rates: dict[str, list[float]] = {peer: [] for peer in peers}
    for _ in range(rounds):
        for peer, team in teams.items():
            rates[peer].append(team.rate(STEPS, batch))
    for team in teams.values():
        team.end()
    return rates


def format_table(dataset: str, rates: dict[str, list[float]]) -> str:
    """Returns the rates as a table: median, range, and the ratios of ours to the peer's."""
    head = f"{dataset:{WIDTH}} {'images/s':>9} {'range':>15} {'ours / it':>10} {'bf16 / it':>10} {'of limit':>9}"
    lines = [head, "-" * len(head)]
    for peer, got in rates.items():
        limit = rates["limit bf16" if "bf16" in peer else "limit"]
        lines.append(
            f"{peer:{WIDTH}} {statistics.median(got):9.0f} {min(got):7.0f}-{max(got):<7.0f} "
            f"{median_ratio(rates['ours'], got):10.2f} {median_ratio(rates['ours bf16'], got):10.2f} {median_ratio(got, limit):9.2f}"
        )
    return "\n".join(lines)


def median_ratio(one: list[float], other: list[float]) -> float:
    """Returns the median over the rounds of the ratio of two rates of the same round."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def record_speed(url: str, dataset: str, rates: dict[str, list[float]], workers: int) -> None:
    """Puts our speed into a store, for the launcher's forecasts."""
    from trainer.model import device

    store, members = open_store(url, create=True), Workload(dataset).cell.member_names
    for peer, precision in (("ours", "float32"), ("ours bf16", "bfloat16")):
        found = Throughput(
            device=device.device_name(),
            dataset=dataset,
            members=members,
            precision=precision,
            images_per_second=statistics.median(rates[peer]) / workers,
            time=utc_now(),
        )
        name = "".join(
            c if c.isalnum() else "-" for c in f"{found.device}-{dataset}-{found.members}-{precision}".lower()
        )
        store.put(keys.throughput(name), records.to_bytes(found))


def main() -> int:
    """Measures the rates and prints the tables; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", default=["mnist", "cifar10"], choices=["digits", "mnist", "cifar10"])
    parser.add_argument("--peers", nargs="+", default=worker.available_peers(worker.has_torch()), choices=worker.PEERS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", metavar="URL", help="put our speed into this store, for forecasts")
    given = parser.parse_args()
    gpus, cores = visible_gpus(os.environ), usable_cores()
    places = share_machine(len(gpus) or cores, gpus, cores, threads=None if gpus else 1, environ=os.environ)
    environments = [dict(place.env) for place in places]
    for dataset in given.datasets:
        rates = measure_rates(dataset, given.peers, given.rounds, environments)
        print(format_table(dataset, rates), end="\n\n", flush=True)
        if given.store:
            record_speed(given.store, dataset, rates, len(environments))
    if not worker.has_torch():
        print("PyTorch is not installed here: its rows are missing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
