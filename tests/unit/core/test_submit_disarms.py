"""A caller is answered before the message is deleted, and then it is."""

import asyncio
from dataclasses import replace

from connorg.contract.onboarding import Status
from connorg.core.domain.claims import Submitted
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.submit import submit
from connorg.core.ports import Receipt
from connorg.core.services import Services
from tests.unit.core.services_under_test import simulated_core
from tests.unit.partners import request

_A_WHILE = 10  # turns of the event loop
_TOO_LONG = 5  # seconds; nothing here waits


class SlowQueue:
    """Puts at once, and lets a delete wait until it is told to go on."""

    def __init__(self, services: Services) -> None:
        self._queue = services.queue
        self.put = services.queue.put
        self.move = services.queue.move
        self.deleting: list[Receipt] = []
        self.deleted: list[Receipt] = []
        self.go_on = asyncio.Event()

    async def delete(self, receipt: Receipt) -> None:
        self.deleting.append(receipt)
        await self.go_on.wait()
        await self._queue.delete(receipt)
        self.deleted.append(receipt)


async def _let_others_go_on() -> None:
    for _ in range(_A_WHILE):
        await asyncio.sleep(0)


async def test_nobody_waits_until_the_message_is_deleted() -> None:
    services = simulated_core()
    slow = SlowQueue(services)
    services = replace(services, queue=slow)
    submission = Submission(request(), "http", "caller")
    for fresh in (True, False):  # the second meets the first, and needs no message either
        async with asyncio.timeout(_TOO_LONG):
            answer = await submit(services, submission, wait=20)
        assert isinstance(answer, Submitted)
        assert (answer.fresh, answer.onboarding.status) == (fresh, Status.SUCCEEDED)
    await _let_others_go_on()
    assert (len(slow.deleting), len(slow.deleted)) == (2, 0)
    slow.go_on.set()
    await _let_others_go_on()
    assert slow.deleted == slow.deleting
