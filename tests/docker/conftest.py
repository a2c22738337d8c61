"""The built images, where this machine can build them."""

from __future__ import annotations

import pytest

from tests.docker import built


@pytest.fixture(scope="session")
def images():
    """The images by their short names."""
    absent = built.missing()
    if absent:
        pytest.skip(
            f"no images: building them without a registry needs {absent} (Debian: apt-get install buildah debootstrap)"
        )
    return built.build()
