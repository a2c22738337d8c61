"""The table of GPU types: the user's rows outrank the built-in ones, and a device is known by a word of its name."""

from __future__ import annotations

import pytest

from experiment.errors import InvalidInput
from k8s.planning import gpu_types

TABLE = gpu_types.load_gpu_types()


def test_the_users_rows_outrank_the_built_in_ones(tmp_path):
    (tmp_path / "own.toml").write_text('[mine]\nspeed = 2.0\non_demand = 1.0\nspot = 0.5\nnames = ["Mine"]\n')
    table = gpu_types.load_gpu_types(str(tmp_path / "own.toml"))

    assert table["mine"].speed == 2
    assert table["k80"] == TABLE["k80"]


@pytest.mark.parametrize("text", ["[x]\nspeed = 1.0\n", "x = 1\n", "[x", None])
def test_a_table_that_is_none_is_refused(tmp_path, text):
    if text is not None:
        (tmp_path / "own.toml").write_text(text)

    with pytest.raises(InvalidInput):
        gpu_types.load_gpu_types(str(tmp_path / "own.toml"))


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        ("Tesla T4", "t4"),
        ("NVIDIA A10G", "a10g"),
        ("NVIDIA L40", None),
        ("NVIDIA L40S", "l40s"),
        ("NVIDIA L4", "l4"),
        ("NVIDIA L4-3Q", "l4-eighth"),
        ("NVIDIA A100-SXM4-40GB", "a100"),
        ("", None),
    ],
)
def test_a_device_is_of_the_type_that_has_a_word_of_its_name(device, kind):
    assert gpu_types.gpu_type_of(device, TABLE) == kind


def test_a_byte_order_mark_is_no_part_of_the_table(tmp_path):
    rows = '\ufeff[mine]\r\nspeed = 2\r\non_demand = 1.0\r\nspot = 0\r\nnames = ["Mine"]\r\n'
    (tmp_path / "own.toml").write_bytes(rows.encode())

    assert gpu_types.load_gpu_types(str(tmp_path / "own.toml"))["mine"].speed == 2


@pytest.mark.parametrize(
    "line",
    [
        "speed = 'fast'",
        "speed = 0",
        "speed = nan",
        "spot = -1",
        "names = 'T4'",
        "names = [4]",
        "offered = 1",
        "node_minutes = -1",
    ],
)
def test_a_row_whose_values_make_no_sense_is_refused(line, tmp_path):
    row = {"speed": "1.0", "on_demand": "1.0", "spot": "0.5", "names": '["X"]'}
    row |= dict([line.split(" = ", 1)])
    (tmp_path / "own.toml").write_text("[x]\n" + "".join(f"{k} = {v}\n" for k, v in row.items()))

    with pytest.raises(InvalidInput, match="correct --gpu-table"):
        gpu_types.load_gpu_types(str(tmp_path / "own.toml"))


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("nvidia.com/gpu", 1),
        ("nvidia.com/gpu.shared", 1),
        ("nvidia.com/mig-1g.10gb", 1 / 7),
        ("nvidia.com/mig-3g.20gb", 3 / 7),
        ("nvidia.com/mig-7g.80gb", 1),
        ("nvidia.com/mig-1g.6gb", 1 / 4),
        ("nvidia.com/mig-2g.12gb", 2 / 4),
        ("nvidia.com/mig-1g.10gb.me", 1 / 7),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", 1 / 7),
        ("NVIDIA A100-SXM4-40GB", 1),
    ],
)
def test_a_slice_says_by_its_name_which_part_of_a_gpu_it_is(name, share):
    assert gpu_types.slice_share(name) == pytest.approx(share)
