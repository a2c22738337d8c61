"""Forecasts rest on measured speeds where there are any, and say what they rest on."""

import dataclasses

import pytest

from experiment.cell import Cell
from experiment.errors import InvalidInput
from experiment.grid import Grid, load_grid
from experiment.records import Throughput
from k8s.planning import forecast, gpu_types
from k8s.planning.plan import DoneCell
from k8s.planning.work import job_work
from tests.k8s.factories import settings

TABLE = gpu_types.load_gpu_types()
CELL = Cell(dataset="mnist", method="single")


def measured(device, speed, **other):
    values = {"dataset": "mnist", "members": "ST+M", "precision": "float32", "time": ""}
    return Throughput(device=device, images_per_second=speed, **{**values, **other})


def forecast_cells(cells, table=TABLE, known=(), at_once=0, a_pod=1, **values):
    """The forecast of one Job with these settings, and so many cells a pod."""
    groups = [cells[i : i + a_pod] for i in range(0, len(cells), a_pod)]
    work = job_work("j", groups, settings(cells_per_pod=a_pod, **values), table, at_once)
    return forecast.forecast_job(work, table, known)


def without_start(kind):
    """The table with this type, whose pods start in no time."""
    return {**TABLE, kind: dataclasses.replace(TABLE[kind], node_minutes=0.0, cell_minutes=0.0)}


def test_on_a_k80_the_full_grid_takes_what_it_took_the_author():
    by_dataset = {}
    for cell in load_grid("full").cells:
        by_dataset.setdefault(cell.dataset, []).append(cell)
    parts = [
        forecast_cells(cells, without_start("k80"), gpu_type="k80", parallelism=1) for cells in by_dataset.values()
    ]

    assert sum(p.gpu_hours for p in parts) == pytest.approx(48.5, rel=0.01)
    assert forecast.published_speed(CELL) == pytest.approx(783, rel=0.01)
    assert any("published K80 speeds" in b for p in parts for b in p.basis)


def test_a_speed_measured_on_the_wanted_gpu_outranks_all():
    known = [measured("NVIDIA L4", 9000.0), measured("Tesla T4", 1000.0), measured("Tesla T4", 3000.0)]

    found = forecast.expected_speed(CELL, "t4", TABLE, known)

    assert found.images_per_second == 2000
    assert found.basis == "measured: mnist on Tesla T4"


def test_a_speed_measured_elsewhere_is_scaled_by_the_table():
    found = forecast.expected_speed(CELL, "t4", TABLE, [measured("Tesla K80", 500.0)])

    assert found.images_per_second == 500 * TABLE["t4"].speed / TABLE["k80"].speed
    assert "scaled" in found.basis


@pytest.mark.parametrize("other", [{"dataset": "cifar10"}, {"members": "ST"}, {"precision": "bfloat16"}])
def test_a_speed_of_other_cells_is_not_used(other):
    assert "published" in forecast.expected_speed(CELL, "t4", TABLE, [measured("Tesla T4", 1.0, **other)]).basis


def test_for_cells_whose_device_chooses_the_precision_speeds_of_each_count():
    known = [measured("Tesla T4", 1000.0), measured("Tesla T4", 2000.0, precision="bfloat16")]

    found = forecast.expected_speed(Cell(dataset="mnist", method="single", precision="auto"), "t4", TABLE, known)

    assert found.images_per_second == 1500


def test_finished_cells_are_measurements():
    done = DoneCell(cell=CELL.id, seconds=10.0, images_per_second=1234.0, device="Tesla T4")
    known = forecast.measured_speeds(Grid(name="g", cells=(CELL,)), {CELL.id: done}, [])

    assert forecast.expected_speed(CELL, "t4", TABLE, known).images_per_second == 1234


def test_hours_and_dollars_follow_from_the_speed():
    cells = [Cell(dataset="mnist", method="single", seed=s, epochs=30) for s in range(6)]
    known = [measured("Tesla T4", 500.0)]  # 60,000 x 30 images: an hour each

    found = forecast_cells(cells, without_start("t4"), known, gpu_type="t4", parallelism=4, gpus=2)

    assert (found.at_once, found.gpus) == (4, 8)
    assert (found.gpu_hours, found.cpu_hours) == (pytest.approx(12), 0)
    assert found.hours == pytest.approx(1.5)
    assert found.dollars == pytest.approx(12 * TABLE["t4"].on_demand)


def test_start_up_is_paid_once_for_a_node_and_once_for_each_cell():
    cells = [Cell(dataset="mnist", method="single", seed=s, epochs=30) for s in range(6)]
    known = [measured("Tesla T4", 500.0)]  # an hour each
    table = {"t4": dataclasses.replace(TABLE["t4"], node_minutes=6.0, cell_minutes=3.0)}

    found = forecast_cells(cells, table, known, at_once=2)

    assert (found.at_once, found.start_minutes) == (2, 2 * 6 + 6 * 3)
    assert found.gpu_hours == pytest.approx(6 + 30 / 60)
    assert found.hours == pytest.approx(3 + (6 + 3 * 3) / 60)
    assert found.dollars == pytest.approx(6.5 * TABLE["t4"].on_demand)


def test_cells_of_one_pod_start_once_and_the_forecast_counts_pods():
    cells = [Cell(dataset="mnist", method="single", seed=s, epochs=30) for s in range(8)]
    known = [measured("Tesla T4", 500.0)]  # an hour each
    table = {"t4": dataclasses.replace(TABLE["t4"], node_minutes=6.0, cell_minutes=3.0)}

    found = forecast_cells(cells, table, known, at_once=1, a_pod=4)

    assert (found.cells, found.at_once, found.gpus) == (8, 1, 1)
    assert found.start_minutes == 6 + 2 * 3
    assert found.gpu_hours == pytest.approx(8 + 12 / 60)
    assert found.hours == pytest.approx(found.gpu_hours)
    both = forecast_cells(cells, table, known, a_pod=4)
    assert (both.at_once, both.gpus) == (2, 2)
    assert both.hours == pytest.approx(4 + (6 + 3) / 60)


def test_workers_that_share_a_gpu_are_slower_each_and_faster_together():
    cells = [Cell(dataset="mnist", method="single", seed=s, epochs=30) for s in range(8)]
    table, known = without_start("t4"), [measured("Tesla T4", 500.0)]
    alone, four = (forecast_cells(cells, table, known, a_pod=8, workers_per_gpu=n) for n in (1, 4))

    assert (alone.at_once, four.at_once) == (1, 4)
    assert (alone.gpus, four.gpus) == (1, 1)
    assert four.gpu_hours == pytest.approx(alone.gpu_hours / 2)  # four at half the speed of one
    assert four.hours == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("values", "share"),
    [
        ({"gpu_resource": "nvidia.com/mig-1g.10gb"}, 1 / 7),
        ({"gpu_resource": "nvidia.com/mig-3g.40gb", "gpus": 2}, 3 / 7),
        ({"gpu_resource": "nvidia.com/gpu.shared", "gpu_share": 0.25}, 0.25),
        ({"gpu_resource": "nvidia.com/gpu.shared"}, 1),
    ],
)
def test_a_slice_costs_its_share_and_is_slower_by_less(values, share):
    table, cells = without_start("h100"), [CELL]
    whole, found = (forecast_cells(cells, table, gpu_type="h100", **own) for own in ({}, values))

    slower = found.hours / whole.hours
    assert slower == pytest.approx(share**-0.5)
    assert found.gpu_hours == pytest.approx(whole.gpu_hours * slower * share * values.get("gpus", 1))
    assert found.dollars == pytest.approx(found.gpu_hours * table["h100"].on_demand)


def test_a_speed_measured_on_a_slice_counts_for_that_slice():
    known = [measured("NVIDIA H100 80GB HBM3 MIG 1g.10gb", 900.0)]

    assert forecast.expected_speed(CELL, "h100", TABLE, known, share=1 / 7).images_per_second == pytest.approx(900)
    assert forecast.expected_speed(CELL, "h100", TABLE, known).images_per_second == pytest.approx(900 * 7**0.5)


def test_cells_without_a_gpu_cost_hours_of_cpu_pods_and_no_gpu_hours():
    found = forecast_cells([CELL], gpus=0, gpu_resource="nvidia.com/mig-1g.10gb")

    assert (found.gpus, found.gpu_hours) == (0, 0)
    assert found.dollars == pytest.approx(found.cpu_hours * TABLE["cpu"].on_demand)


def test_a_type_of_gpu_that_the_table_lacks_is_refused():
    with pytest.raises(InvalidInput, match="add it to --gpu-table"):
        forecast_cells([CELL], gpu_type="b200")


def test_network_sizes_and_small_images_scale_the_published_speed_within_reason():
    digits = Cell(dataset="digits", method="single")

    assert (
        forecast.published_speed(CELL)
        < forecast.published_speed(digits)
        <= forecast.MOST * forecast.published_speed(CELL) * 1.01
    )
