"""The log of an attempt: lines of JSON for the store, readable lines for people."""

import json

from trainer.log import Log


def test_each_message_is_a_line_of_json_and_a_line_on_standard_error(capsys):
    log = Log("digits-ce-0p1-s0-0123456789", "first")
    log.say("started", step=0, device="CPU")
    log.say("failed", traceback="line one\nline two")

    lines = [json.loads(line) for line in log.to_bytes().splitlines()]
    assert [line["message"] for line in lines] == ["started", "failed"]
    assert {(line["cell"], line["attempt"]) for line in lines} == {("digits-ce-0p1-s0-0123456789", "first")}
    assert (lines[0]["step"], lines[1]["traceback"]) == (0, "line one\nline two")
    assert capsys.readouterr().err.splitlines() == [
        "digits-ce-0p1-s0-0123456789: started step=0 device=CPU",
        "digits-ce-0p1-s0-0123456789: failed",
    ]


def test_where_nobody_reads_the_lines_any_more_they_still_reach_the_store(monkeypatch):
    class Broken:
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Broken())
    log = Log("digits-ce-0p1-s0-0123456789", "first")
    log.say("checkpoint", step=1)

    assert json.loads(log.to_bytes())["message"] == "checkpoint"
