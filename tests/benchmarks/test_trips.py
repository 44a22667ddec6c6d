"""How many calls each path makes to Graph and to storage. docs/performance.md says what for."""

import base64
import json
from collections import Counter as Tally
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import httpx
import pytest
from azure.storage.queue.aio import QueueClient

from connorg.contract.storage_names import ONBOARDING_QUEUE
from infra.local.child import ROOT
from tests import senders
from tests.benchmarks.counting import Counter, counted
from tests.benchmarks.host import App, Backing, Host, body, running
from tests.end_to_end.client import Json, eventually
from tests.senders import Ticket
from tests.stack import Stack

pytestmark = pytest.mark.slow

type Trips = tuple[Backing, Host, Counter]

SETTINGS = {
    **senders.SETTINGS,
    "CONNORG_TENANT_LOOKUP": "false",
    "CONNORG_SETTLE_SECONDS": "0",  # a search that finds nothing is believed at once
}
# The trigger's own: it takes a message from the queue once its function has returned.
BY_THE_HOST = Tally({"queue DELETE": 1})
GATE, OWN = Tally({"table GET": 1}), Tally({"table GET": 1})
MOST_LOOKS = 4  # at the gate, of a path; each may be spared by another, a twentieth of a second old
ARMED = GATE + Tally({"queue POST": 1})
OPENED = Tally({"table POST": 1})
CREATED = Tally({"graph POST": 1})
CLOSED = Tally({"table PUT": 1})
DISARMED = Tally({"queue DELETE": 1})  # after the answer
TURN = Tally({"table GET": 1, "table PUT": 1}) + GATE
LEASED = Tally({"table PUT": 1})
RESUMED = GATE + OWN + TURN + LEASED
KEY_BOUND = Tally({"table POST": 1})
SEARCHED = Tally({"graph GET": 4})  # by source, by name, among all; and whether filters work

CREATE = ARMED + OPENED + CREATED + CLOSED + DISARMED
EXISTS = ARMED + OPENED + Tally({"table GET": 3}) + DISARMED  # the claim, its own row, the holder
PRODUCED = RESUMED + OPENED + CREATED + CLOSED + BY_THE_HOST
WEBHOOK = KEY_BOUND + ARMED + OPENED + RESUMED + CREATED + CLOSED + BY_THE_HOST
# Its message may be taken before the submit has opened the onboarding: then both try to.
WEBHOOK_OVERTAKEN = WEBHOOK + OPENED + Tally({"table GET": 2})
FAILED_ONCE = ARMED + OPENED + CREATED + CLOSED + Tally({"queue PUT": 1})
RETRIED = FAILED_ONCE + RESUMED + SEARCHED + CREATED + CLOSED + BY_THE_HOST


@pytest.fixture(scope="module")
def services() -> Iterator[Backing]:
    with Stack(only=("graph", "identity", "storage")) as stack:
        yield Backing(stack.graph, stack.identity, stack.storage)


@pytest.fixture(scope="module")
async def trips(
    services: Backing, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Trips]:
    """connorg with its calls counted, once tables, queues, tokens and connections are there."""
    log = tmp_path_factory.mktemp("trips") / "log"
    with log.open("wb") as lines:
        async with (
            counted(services) as (through, counter),
            running(App("connorg", ROOT, SETTINGS), through, lines) as host,
        ):
            await host.create(body(0, uuid4().hex))
            await put(services, body(0, uuid4().hex))  # it makes the gate's row
            await made(counter, CREATE + BY_THE_HOST)
            yield services, host, counter


async def made(counter: Counter, last: Tally[str]) -> Tally[str]:
    """Wait until at least so many calls were made, and give them all."""

    async def enough() -> bool:
        return last <= Tally(call.name for call in counter.calls if not call.is_poll)

    try:
        await eventually(enough, "calls are missing")
    finally:
        taken = counter.take()
    return Tally(call.name for call in taken)


def assert_made(taken: Tally[str], expected: Tally[str]) -> None:
    """Fail unless these calls were made, but for looks at the gate that another one spared."""
    assert not taken - expected
    spared = expected - taken
    assert spared.keys() <= GATE.keys()
    assert spared.total() <= MOST_LOOKS


async def put(services: Backing, message: Json) -> None:
    text = base64.b64encode(json.dumps(message).encode()).decode()
    async with QueueClient.from_connection_string(services.storage, ONBOARDING_QUEUE) as queue:
        await queue.send_message(text)


async def test_a_create(trips: Trips) -> None:
    _, host, counter = trips
    await host.create(body(1, uuid4().hex))
    assert_made(await made(counter, DISARMED), CREATE)


async def test_one_that_exists(trips: Trips) -> None:
    _, host, counter = trips
    organization = body(1, uuid4().hex)
    await host.create(organization)
    await made(counter, DISARMED)
    status, _ = await host.post("connected-organizations", json=organization)
    assert status == 200
    assert_made(await made(counter, DISARMED), EXISTS)


async def test_a_producers_message(trips: Trips) -> None:
    services, _, counter = trips
    await put(services, body(1, uuid4().hex))
    assert_made(await made(counter, BY_THE_HOST), PRODUCED)


async def test_one_that_graph_fails_once(trips: Trips) -> None:
    services, host, counter = trips
    fault = {"method": "POST", "fault": "status", "status": 503, "times": 1}
    async with httpx.AsyncClient() as http:
        answer = await http.put(f"{services.graph}/_emulator/faults", json=[fault])
        answer.raise_for_status()
    status, _ = await host.post("connected-organizations", json=body(1, uuid4().hex))
    assert status == 202
    assert_made(await made(counter, BY_THE_HOST), RETRIED)


# The last: where its message is overtaken, its submit may still make calls after that.
async def test_a_webhook(trips: Trips) -> None:
    _, host, counter = trips
    ticket = Ticket(f"{uuid4().hex}.example")
    sent = ticket.of("servicenow")
    headers = senders.headers("servicenow", sent, ticket.delivery)
    status, _ = await host.post("webhooks/servicenow", data=sent, headers=headers)
    assert status == 202
    taken = await made(counter, BY_THE_HOST)
    is_overtaken = taken["table POST"] > WEBHOOK["table POST"]
    assert_made(taken, WEBHOOK_OVERTAKEN if is_overtaken else WEBHOOK)
