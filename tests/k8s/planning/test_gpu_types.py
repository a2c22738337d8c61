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
    [("Tesla T4", "t4"), ("NVIDIA A10G", "a10g"), ("NVIDIA L40", None), ("NVIDIA A100-SXM4-40GB", "a100"), ("", None)],
)
def test_a_device_is_of_the_type_that_has_a_word_of_its_name(device, kind):
    assert gpu_types.gpu_type_of(device, TABLE) == kind
