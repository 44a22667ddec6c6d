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


@pytest.fixture
async def fresh(connorg: Connorg) -> Connorg:
    """The stack with a Graph that knows no organization."""
    await connorg.graph.forget_everything()
    return connorg


@pytest.fixture(scope="session")
def frail_stack() -> Iterator[Stack]:
    with Stack(settings=SHORT) as stack:
        yield stack


@pytest.fixture(scope="module")
async def breakable(frail_stack: Stack) -> AsyncIterator[Connorg]:
    """A stack for kills, outages and other settings. Tests give it back with all parts running."""
    async with Connorg(frail_stack) as connorg:
        await connorg.graph.heal()
        yield connorg
        await connorg.graph.heal()
        assert connorg.logged_secrets() == []


@pytest.fixture(scope="module")
async def given_back(breakable: Connorg) -> Connorg:
    breakable.stack.set_functions({})
    await eventually(breakable.is_healthy, "a test before this one left it unwell")
    return breakable


@pytest.fixture
def frail(given_back: Connorg) -> Connorg:
    """The same stack with the settings of SHORT, whatever a test before set."""
    given_back.stack.set_functions({})
    return given_back


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
