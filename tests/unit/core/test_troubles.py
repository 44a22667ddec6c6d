"""What health shows of recent failures, poison messages and queues that nobody reads."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from connorg.contract.health import Check
from connorg.contract.storage_names import BATCH_POISON_QUEUE, BATCH_QUEUE, QUEUES
from connorg.core.ports import Backlog, Receipt
from connorg.core.services import Services
from connorg.core.troubles import troubles
from tests.unit.core.services_under_test import NOW, Clock, simulated_core
from tests.unit.core.test_summary import POLICY, REFUSED, failed


@dataclass
class Held:
    """A queue that holds so much."""

    held: Backlog

    async def backlog(self) -> Backlog:
        return self.held

    async def is_there(self) -> bool:
        return True

    async def hide(self, receipt: Receipt, delay: float) -> None:  # noqa: ARG002  as the port has it
        raise AssertionError("nobody hides anything here")

    async def put_back(self, text: str, delay: float) -> None:  # noqa: ARG002  as the port has it
        raise AssertionError("nobody puts anything here")


async def checks(services: Services, **backlogs: Backlog) -> dict[str, Check]:
    queues = {name: Held(backlogs.get(name.replace("-", "_"), Backlog())) for name in QUEUES}
    found = await troubles(services.ledger, queues, NOW)
    return {check.name: check for check in found}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(clock: Clock) -> Services:
    return simulated_core(clock)


async def test_an_app_that_is_well_has_no_trouble(services: Services) -> None:
    found = await checks(services, batch=Backlog(4000, NOW - timedelta(minutes=16)))
    assert {check.status for check in found.values()} == {"healthy"}
    assert len(found) == 5


async def test_recent_failures_are_counted_by_code_and_old_ones_are_not(
    services: Services, clock: Clock
) -> None:
    clock.moment = NOW - timedelta(hours=25)
    await failed(services, 1, REFUSED)
    clock.moment = NOW - timedelta(hours=23)
    for number in (2, 3):
        await failed(services, number, REFUSED)
    await failed(services, 4, POLICY)
    check = (await checks(services))["failures"]
    assert check.status == "failed"
    assert check.detail
    assert " failed: 2 RefusedByGraph, 1 RefusedByPolicy." in check.detail
    assert check.detail.startswith("3 ")
    assert check.action


async def test_poison_messages_are_counted_where_they_are(services: Services) -> None:
    check = (await checks(services, batch_poison=Backlog(3)))["poison"]
    assert check.status == "poisoned"
    assert check.detail
    assert f"3 in {BATCH_POISON_QUEUE}." in check.detail


async def test_a_queue_that_nobody_reads_is_noticed(services: Services) -> None:
    since = NOW - timedelta(minutes=31)
    check = (await checks(services, batch=Backlog(1, since)))[f"reader of {BATCH_QUEUE}"]
    assert check.status == "stalled"
    assert check.detail
    assert "31 minutes ago" in check.detail
