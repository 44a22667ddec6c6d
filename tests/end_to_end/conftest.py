"""Stacks for all end-to-end tests: one that nobody harms, one to kill, one that exports."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests import receivers, senders
from tests.authority import trust
from tests.collector import Collector, collecting
from tests.conftest import DEPLOYED
from tests.end_to_end.client import Connorg, eventually
from tests.stack import Stack

__all__ = ["trust"]

# Everything that is waited for is short, so that tests of it are.
SHORT: dict[str, str] = {
    **DEPLOYED,
    "CONNORG_WAIT_SECONDS": "3",
    "CONNORG_ATTEMPT_SECONDS": "3",
    "CONNORG_SETTLE_SECONDS": "3",
    "CONNORG_BLOCKED_RETRY_SECONDS": "1",
    "LOCAL_HOST_QUEUE_LEASE_SECONDS": "4",
    # What these tests switch, as it is without them.
    "CONNORG_GRAPH_VERSION": "v1.0",
    "CONNORG_REQUIRE_ENTRA": "false",
    **senders.SETTINGS,
    **receivers.SETTINGS,
}


@pytest.fixture(scope="session")
async def unharmed(stack: Stack) -> AsyncIterator[Connorg]:
    async with Connorg(stack) as connorg:
        yield connorg


@pytest.fixture
async def connorg(unharmed: Connorg) -> AsyncIterator[Connorg]:
    """The whole stack with its usual settings, shared by all tests that kill nothing."""
    await eventually(unharmed.is_healthy, "a test before this one left it unwell")
    yield unharmed
    await unharmed.graph.heal()


@pytest.fixture
async def untouched(connorg: Connorg) -> Connorg:
    """The stack with nothing to do, so that any trace is one of the test's own."""
    await connorg.emptied()
    return connorg


@pytest.fixture(scope="session")
def frail_stack() -> Iterator[Stack]:
    with Stack(settings=SHORT) as stack:
        yield stack


@pytest.fixture(scope="module")
async def frail(frail_stack: Stack) -> AsyncIterator[Connorg]:
    """A stack for kills and outages. Tests give it back with all parts running, as SHORT says."""
    async with Connorg(frail_stack) as connorg:
        await connorg.graph.heal()
        await eventually(connorg.is_healthy, "a test before this one left it unwell")
        yield connorg
        await connorg.graph.heal()
        assert connorg.logged_secrets() == []


@pytest.fixture(scope="session")
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as collector:
        yield collector


@pytest.fixture(scope="session")
async def observed(collector: Collector) -> AsyncIterator[Connorg]:
    """A stack of its own that exports what it tells."""
    settings = {
        **senders.SETTINGS,
        **receivers.SETTINGS,
        **collector.settings,
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        "CONNORG_SETTLE_SECONDS": "0",  # what a search does not find is believed at once
        "CONNORG_BLOCKED_RETRY_SECONDS": "1",
    }
    with Stack(settings=settings) as stack:
        async with Connorg(stack) as connorg:
            yield connorg
            assert connorg.logged_secrets() == []
