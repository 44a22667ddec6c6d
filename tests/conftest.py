"""What tests of every kind share: storage, and the whole stack, once per run and only if needed."""

from collections.abc import Iterator

import pytest

from tests import receivers, senders
from tests.stack import Stack


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """The connection string of an Azurite that keeps its data in memory. Names must be unique."""
    with Stack(only=["storage"]) as stack:
        yield stack.storage


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack(settings={**senders.SETTINGS, **receivers.SETTINGS}) as stack:
        yield stack
