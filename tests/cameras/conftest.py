"""What the tests of several cameras share."""

from collections.abc import Iterator

import pytest
from taking import Open, opener


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens isolated cameras, and closes them after the test."""
    with opener() as opened:
        yield opened
