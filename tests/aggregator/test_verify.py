"""The command that proves a store, as users call it."""

from __future__ import annotations

import pytest

from aggregator.verify import main
from experiment import keys
from experiment.grid import Grid
from experiment.store import LocalStore
from tests.aggregator import factories


@pytest.fixture
def verify(capsys):
    """Runs the command; returns its exit code and its lines, all of them or those on stderr where there are any."""

    def run(*arguments):
        code = main([str(a) for a in arguments])
        said = capsys.readouterr()
        return code, (said.err or said.out).splitlines()

    return run


def test_a_whole_store_is_said_to_be_so(store, verify):
    assert verify(store.url) == (
        0,
        [
            f"{store.url}: 13 cells committed: 13 whole, 0 not proved, 0 not whole; 0 faults, 0 objects of no commit",
        ],
    )


def test_a_store_without_a_commit_is_whole(tmp_path, cells, verify):
    store = LocalStore(tmp_path / "new", create=True)
    factories.freeze_run(store, Grid(name="part", cells=cells[:2]), "part")

    code, said = verify(store.url)
    assert (code, len(said)) == (0, 1)
    assert ": 0 cells committed: 0 whole" in said[0]


def test_every_fault_has_its_line_and_the_rest_is_judged(store, cells, verify):
    store.put(keys.epochs(cells[0]), b"PAR1")
    store.delete(keys.model(cells[1].id, "M"))
    store.put(keys.predictions(cells[2]), b"")
    store.put(keys.model(cells[2].id, "ST"), b"")
    factories.prepare_digits(store, digest="1" * 64)
    code, said = verify(store.url)

    assert code == 1
    assert sorted(line.split(": ")[1] for line in said[:5]) == sorted(
        [
            keys.epochs(cells[0]),
            keys.model(cells[1].id, "M"),
            keys.predictions(cells[2]),
            keys.model(cells[2].id, "ST"),
            keys.dataset_manifest("digits"),
        ]
    )
    assert all(line.startswith("fault: ") and ("remove" in line or "restore" in line) for line in said[:5])
    assert said[5:] == [
        f"{store.url}: 13 cells committed: 10 whole, 0 not proved, 3 not whole; 5 faults, 0 objects of no commit"
    ]


def test_what_is_not_proved_and_what_belongs_to_no_commit_is_information(store, cells, verify):
    factories.commit_cell(store, cells[0], predictions=False)
    lost = keys.artifact_beside(keys.model(cells[1].id, "M"), "a2")
    store.put(lost, b"of an attempt that came second")
    store.delete(keys.epochs(cells[2]))
    store.put(keys.grid("other"), b"{}")
    code, said = verify(store.url)

    assert code == 0
    assert [line.split(": ")[:2] for line in said[:-1]] == [
        ["note", keys.grid("other")],
        ["note", cells[0].id],
        *(["note", key] for key in sorted([lost, keys.predictions(cells[2]), *store.list(keys.MODELS + cells[2].id)])),
    ]
    assert said[-1].endswith(
        ": 12 cells committed: 11 whole, 1 not proved, 0 not whole; 0 faults, 4 objects of no commit"
    )


@pytest.mark.parametrize("name", [("{url}", "--run", "part"), ("{url}/runs/part",)], ids=["--run", "a run's URL"])
def test_of_a_run_its_cells_alone_are_judged(store, cells, verify, name):
    factories.freeze_run(store, Grid(name="part", cells=cells[:2]), "part")
    store.put(keys.epochs(cells[5]), b"PAR1")
    store.put(keys.artifact_beside(keys.model(cells[6].id, "M"), "a2"), b"")
    code, said = verify(*(part.format(url=store.url) for part in name))

    assert (code, len(said)) == (0, 1)
    assert ": 2 cells committed: 2 whole" in said[0]
    store.put(keys.predictions(cells[1]), b"")
    assert verify(*(part.format(url=store.url) for part in name))[0] == 1


def test_a_copy_in_a_wrong_place_is_a_fault(store, cells, verify):
    store.put(keys.epochs(cells[0]).replace("method=single", "method=l1"), store.read(keys.epochs(cells[0])))
    code, said = verify(store.url)

    assert code == 1
    assert "it was copied to a wrong place; remove it" in said[0]


def test_a_place_or_a_run_that_is_not_there_is_refused(store, verify, tmp_path):
    code, [line] = verify(tmp_path / "none")
    assert (code, line.partition(" '")[0]) == (42, "error: the store is")
    code, [line] = verify(store.url, "--run", "mode")
    assert (code, line.partition(";")[0]) == (42, "error: the run is 'mode'")


def test_a_folder_that_cannot_be_listed_is_a_fault(store, verify, cells):
    folder = store.root / keys.results_folder("digits", "ce")
    folder.rename(tmp := store.root / "away")
    folder.symlink_to(store.root / "nowhere")
    code, said = verify(store.url)

    assert code == 1
    assert said[0].startswith(f"fault: {keys.results_folder('digits', 'ce')}: ")
    assert tmp.exists()


@pytest.mark.parametrize("server", ["moto_store", pytest.param("minio_store", marks=pytest.mark.s3)])
def test_on_s3_it_says_the_same(request, server, cells, verify):
    store = request.getfixturevalue(server)
    for cell in cells[:4]:
        factories.commit_cell(store, cell)
    assert verify(store.url)[0] == 0

    store.put(keys.model(cells[0].id, "M"), b"")
    store.put(keys.epochs(cells[1]), b"PAR1")
    store.delete(keys.predictions(cells[2]))
    code, said = verify(store.url)
    assert (code, len(said)) == (1, 4)
    assert said[-1].endswith(
        ": 4 cells committed: 1 whole, 0 not proved, 3 not whole; 3 faults, 0 objects of no commit"
    )
