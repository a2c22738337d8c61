"""Networks of several shapes with random parameters."""

import numpy as np
import pytest

from experiment.members import Member
from trainer.model.networks import Network

SHAPES = [
    (Member(name="A", bricks=1, blocks=1, filters=3), (5, 7, 2), "plain"),
    (Member(name="B", bricks=2, blocks=2, filters=4), (6, 6, 1), "wide"),
    (Member(name="C", bricks=3, blocks=1, filters=8), (8, 8, 3), "wide"),
]


@pytest.fixture(params=SHAPES, ids=lambda s: s[0].name)
def trained_like(request):
    """A network with random parameters and moments, and images."""
    member, shape, head = request.param
    rng = np.random.default_rng(1)
    network = Network(member, shape[2], head)
    theta = network.initial(rng) + rng.normal(0, 0.05, network.size).astype(np.float32)
    moments = np.abs(network.initial_moments() + rng.normal(0, 0.3, network.moments_size).astype(np.float32))
    images = rng.integers(0, 256, (4, *shape)).astype(np.float32)
    return network, shape, theta, moments, images
