"""Deliveries of webhooks, as a ticketing system makes them."""

from collections.abc import Mapping

import httpx
import pytest

from tests import senders
from tests.end_to_end.client import Connorg
from tests.senders import Ticket

PROFILED = tuple(senders.DOCUMENTED)
each_profile = pytest.mark.parametrize("source", PROFILED)


async def send(
    connorg: Connorg,
    source: str,
    body: bytes,
    delivery: str,
    changes: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Deliver a body with its proof. No function key: the proof is the credential."""
    headers = {**senders.headers(source, body, delivery), **(changes or {})}
    return await connorg.call(
        "POST", f"webhooks/{source}", content=body, headers=headers, key=False
    )


async def deliver(connorg: Connorg, source: str, ticket: Ticket) -> httpx.Response:
    return await send(connorg, source, ticket.of(source), ticket.delivery)
