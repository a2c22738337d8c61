"""Forecasts rest on measured speeds where there are any, and say what they rest on."""

import pytest

from experiment.cell import Cell
from experiment.errors import InvalidInput
from experiment.grid import Grid, load_grid
from experiment.records import Throughput
from k8s.planning import forecast, gpu_types
from k8s.planning.plan import DoneCell
from tests.k8s.factories import settings

TABLE = gpu_types.load_gpu_types()
CELL = Cell(dataset="mnist", method="single")


def measured(device, speed, **other):
    values = {"dataset": "mnist", "members": "ST+M", "precision": "float32", "time": ""}
    return Throughput(device=device, images_per_second=speed, **{**values, **other})


def test_on_a_k80_the_full_grid_takes_what_it_took_the_author():
    by_dataset = {}
    for cell in load_grid("full").cells:
        by_dataset.setdefault(cell.dataset, []).append(cell)
    parts = [
        forecast.forecast_job("j", cells, settings(gpu_type="k80", parallelism=1), TABLE, [])
        for cells in by_dataset.values()
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

    found = forecast.forecast_job("j", cells, settings(gpu_type="t4", parallelism=4, gpus=2), TABLE, known)

    assert (found.at_once, found.gpus) == (4, 8)
    assert found.gpu_hours == pytest.approx(12)
    assert found.hours == pytest.approx(1.5)
    assert found.dollars == pytest.approx(12 * TABLE["t4"].on_demand)
    assert forecast.forecast_table([found])[-1].endswith("from the table of GPU types")


def test_a_type_of_gpu_that_the_table_lacks_is_refused():
    with pytest.raises(InvalidInput, match="add it to --gpu-table"):
        forecast.forecast_job("j", [CELL], settings(gpu_type="b200"), TABLE, [])


def test_network_sizes_and_small_images_scale_the_published_speed_within_reason():
    digits = Cell(dataset="digits", method="single")

    assert (
        forecast.published_speed(CELL)
        < forecast.published_speed(digits)
        <= forecast.MOST * forecast.published_speed(CELL) * 1.01
    )
