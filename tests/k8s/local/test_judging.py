"""The aggregator is asked as a program, and what it answers is checked."""

from __future__ import annotations

import sys

import pytest

from experiment import keys
from experiment.errors import InvalidInput, Transient
from experiment.run import Run
from k8s.local.judging import check_judging, judge_run
from k8s.local.programs import Programs
from tests.k8s.cluster_objects import GRID
from tests.k8s.fake_launch import FAKES


def programs(code):
    return Programs(aggregator=(sys.executable, "-c", code))


def test_the_claims_of_a_run_come_back_with_their_chances(local_store):
    local_store.put(keys.grid("mine"), Run(name="mine", grid=GRID).to_bytes())
    found = judge_run(f"{local_store.url}/runs/mine", (10, 20), FAKES)

    assert [a.name for a in found][:2] == ["1", "2"]
    assert found[0].chances == {10: 0.9, 20: 0.9}
    assert judge_run(f"{local_store.url}/runs/mine", (), FAKES)[0].chances == {}


def test_other_lines_are_shown(capsys):
    assert judge_run("u", (), programs("""print('not counted\\n{"claims": []}\\nlate')""")) == []
    assert capsys.readouterr().out == "not counted\nlate\n"


@pytest.mark.parametrize("code", ["", "print('a page')", "print('{}')", """print('{"claims": [{}]}')"""])
def test_what_is_no_judgement_is_refused(code):
    with pytest.raises(InvalidInput, match="the judgement of u cannot be read"):
        judge_run("u", (), programs(code))


@pytest.mark.parametrize(("code", "kind"), [(75, Transient), (42, InvalidInput), (143, InvalidInput)])
def test_a_failure_keeps_its_kind_and_its_words(code, kind):
    fails = f"import sys; print('error: no', file=sys.stderr); sys.exit({code})"

    with pytest.raises(kind, match="the results could not be judged: no"):
        judge_run("u", (), programs(fails))


def test_a_machine_that_cannot_judge_is_refused_before_anything_is_trained():
    check_judging(FAKES)
    lacks = "import sys; print('error: lacks the package pandas', file=sys.stderr); sys.exit(42)"

    with pytest.raises(InvalidInput, match="judges results on this machine, which fails: lacks the package pandas"):
        check_judging(programs(lacks))
