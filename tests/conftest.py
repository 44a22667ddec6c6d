"""What tests of every kind share: storage, and the whole stack, once per run and only if needed."""

import os
from collections.abc import Iterator

import pytest

from tests import receivers, senders
from tests.infra import app_settings
from tests.stack import Stack

# With DEPLOYED_SETTINGS=1 every stack begins with the app settings that the Bicep sets.
DEPLOYED = app_settings.on_this_machine("least") if os.environ.get("DEPLOYED_SETTINGS") else {}


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """The connection string of an Azurite that keeps its data in memory. Names must be unique."""
    with Stack(only=["storage"]) as stack:
        yield stack.storage


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with Stack(settings={**DEPLOYED, **senders.SETTINGS, **receivers.SETTINGS}) as stack:
        yield stack
