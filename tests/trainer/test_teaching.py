"""A student's teacher comes out of the store, whole, before the training."""

import dataclasses
import json

import pytest

from experiment import keys, records
from experiment.errors import InvalidInput, Transient
from tests.trainer.conftest import tiny_cell
from trainer.attempt import attempt_cell
from trainer.options import AttemptOptions
from trainer.teaching import read_teacher

TEACHER = tiny_cell(method="single", alpha=0.0, epochs=1)
STUDENT = dataclasses.replace(TEACHER, method="distillation", alpha=1.0, teacher=TEACHER)


@pytest.fixture
def options(local_store, tiny):
    """Options of an attempt that loads the tiny data set."""
    return AttemptOptions(store=local_store, attempt="first", load=lambda name: tiny, stopping=lambda: False)


def test_a_cell_without_a_teacher_reads_none(local_store):
    assert read_teacher(local_store, TEACHER) == {}


def test_a_teacher_that_is_not_trained_is_named_and_may_be_there_another_time(options, local_store):
    words = f"{STUDENT.id} learns from {TEACHER.id}, which has no result in .*; launch a grid that holds it"
    with pytest.raises(Transient, match=words):
        attempt_cell(STUDENT, options)

    failure = records.parse_record(local_store.read(keys.failure(STUDENT.id, "first")), "it")
    assert (failure.kind, failure.exit_code) == ("transient", 75)


def test_a_student_is_trained_from_the_files_that_its_teachers_commit_names(options, local_store):
    assert attempt_cell(TEACHER, options) == "committed"
    files = read_teacher(local_store, STUDENT)

    assert files == {m.name: local_store.read(keys.model(TEACHER.id, m.name)) for m in TEACHER.members}
    assert attempt_cell(STUDENT, options) == "committed"
    lines = [json.loads(line) for line in local_store.read(keys.log(STUDENT.id, "first")).splitlines()]
    assert [line["message"] for line in lines] == ["started", "committed"]


def test_a_changed_file_of_a_teacher_is_refused(options, local_store):
    attempt_cell(TEACHER, options)
    local_store.put(keys.model(TEACHER.id, "A"), b"another model")
    with pytest.raises(InvalidInput, match=r"models/.*/A.keras has sha256 .*, and its commit names"):
        read_teacher(local_store, STUDENT)
