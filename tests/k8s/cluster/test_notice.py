"""The end of a run is told once, and nothing that hears it badly fails the run."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from experiment.run import read_run
from k8s.cluster import notice
from k8s.cluster.connect import connect_cluster
from k8s.manifests import names
from tests.k8s.cluster_objects import job
from tests.served import Served


class Receiver(Served, ThreadingHTTPServer):
    """Keeps what it is sent, and answers with ``status``."""

    def __init__(self, status: int = 200) -> None:
        self.status, self.sent = status, []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook?key=secret"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.sent.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def told(launched):
    return notice.make_notice(launched, read_run(launched, "mine"), 1, 2.345)


def test_a_notice_says_what_became_of_the_run(launched, told):
    report = f"{launched.url}/reports/mine/index.html"

    assert (told["state"], told["cells"], told["done"], told["dollars"]) == ("incomplete", 4, 1, 2.35)
    assert told["text"] == f"run mine has ended: 1 of 4 cells done, $2.35; report: {report}"
    assert told["report"] == report
    whole = notice.make_notice(launched, read_run(launched, "mine"), 4)
    assert (whole["state"], "$" in whole["text"]) == ("done", False)


def test_it_is_posted_once_as_json_and_its_url_stays_untold(told):
    with Receiver() as receiver:
        line = notice.post_notice(receiver.url, told)

    assert line == "told 127.0.0.1 that the run has ended (200)"
    assert receiver.sent == [("/hook?key=secret", "application/json", told)]


def test_a_receiver_that_refuses_or_is_away_is_a_line(told):
    with Receiver(status=500) as receiver:
        refused = notice.post_notice(receiver.url, told)
    away = notice.post_notice(receiver.url, told)

    assert refused.startswith("could not tell 127.0.0.1 that the run has ended: HTTP Error 500")
    assert away.startswith("could not tell 127.0.0.1 that the run has ended: ") and away.endswith("pods may reach it")
    assert len(receiver.sent) == 1
    assert "secret" not in refused + away


def test_the_event_is_on_the_collecting_job(api, told):
    collecting = job("mine-collect-1")
    api.add("jobs", collecting)
    with connect_cluster("", "ensembles", answer_seconds=0, outage_seconds=0) as kube:
        assert notice.create_event(kube, "mine-collect-1", told) == []
        assert notice.create_event(kube, "mine-collect-1", told) == []  # its pod was killed right after the first

    (path,) = (p for p in api.objects if "/events/" in p)
    event = api.objects[path]
    assert path.startswith("/api/v1/namespaces/ensembles/events/mine-collect-1.")
    assert (event["involvedObject"]["name"], event["involvedObject"]["uid"]) == ("mine-collect-1", "j")
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "RunEnded", told["text"])
    assert event["metadata"]["labels"][names.RUN] == "mine"


@pytest.mark.parametrize("fault", [(403, "events is forbidden: no"), (503, "away"), "absent"])
def test_an_event_that_cannot_be_made_is_a_line(api, told, fault):
    if fault != "absent":
        api.refusal = fault
    with connect_cluster("", "ensembles", answer_seconds=0, outage_seconds=0) as kube:
        (line,) = notice.create_event(kube, "mine-collect-1", told)

    assert line.startswith("the run's end could not be made an Event: ")
    assert "python -m k8s.setup --namespace ensembles --apply gives the right" in line
