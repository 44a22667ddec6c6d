"""Callers over HTTP and producers of queue messages, who send again until they are sure."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

import httpx
from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.queue.aio import QueueClient

from connorg.contract.storage_names import ONBOARDING_QUEUE
from tests.campaign.plan import HTTP, Sending
from tests.end_to_end.client import Connorg, Partner

PAUSE = 0.3  # seconds until somebody who lost the connection sends again
ACCEPTED = {200, 201, 202}
UNAVAILABLE = 503


@dataclass(frozen=True)
class Acceptance:
    """A 2xx, and so a promise."""

    partner: Partner
    onboarding_id: str


@dataclass
class Tally:
    """What the senders were told."""

    accepted: list[Acceptance] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    queued: int = 0
    answers_503: int = 0
    lost: int = 0
    """Requests and messages of which the sender never learned what became."""


@dataclass(frozen=True)
class Traffic:
    connorg: Connorg
    queue: QueueClient
    tally: Tally = field(default_factory=Tally)

    @classmethod
    @asynccontextmanager
    async def ready(cls, connorg: Connorg) -> AsyncIterator[Self]:
        # Without the SDK's retries, which are slow: the loop here sends again.
        queue = QueueClient.from_connection_string(
            connorg.stack.storage, ONBOARDING_QUEUE, retry_total=0
        )
        async with queue:
            with suppress(ResourceExistsError):
                await queue.create_queue()
            yield cls(connorg, queue)

    async def send(self, sendings: Iterable[Sending]) -> None:
        """Send each at its time; return when each was accepted, or refused for good."""
        started = time.monotonic()
        async with asyncio.TaskGroup() as senders:
            for sending in sendings:
                senders.create_task(self._send(sending, started))

    async def _send(self, sending: Sending, started: float) -> None:
        await asyncio.sleep(started + sending.at - time.monotonic())
        once = self._request if sending.way == HTTP else self._put
        again_after = await once(sending)
        while again_after is not None:
            await asyncio.sleep(again_after)
            again_after = await once(sending)

    async def _request(self, sending: Sending) -> float | None:
        """Send a request; give the seconds until it must be sent again, None: never."""
        try:
            answer = await self.connorg.submit(sending.partner.body(), **sending.headers)
        except httpx.TransportError:
            self.tally.lost += 1
            return PAUSE
        if answer.status_code == UNAVAILABLE:
            self.tally.answers_503 += 1
            return float(answer.headers.get("retry-after", PAUSE))
        if answer.status_code in ACCEPTED:
            self.tally.accepted.append(Acceptance(sending.partner, str(answer.json()["id"])))
        else:
            self.tally.refused.append(f"{sending}: {answer.status_code} {answer.text}")
        return None

    async def _put(self, sending: Sending) -> float | None:
        content = json.dumps(sending.partner.body()).encode()
        try:
            await self.queue.send_message(base64.b64encode(content).decode())
        except AzureError:
            self.tally.lost += 1
            return PAUSE
        self.tally.queued += 1
        return None
