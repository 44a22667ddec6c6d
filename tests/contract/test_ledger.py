"""What every Ledger promises: the one on the simulated table, and the one on Azurite's."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.exceptions import ServiceRequestError

from connorg.contract.identifiers import (
    RowRef,
    new_batch_id,
    new_onboarding_id,
    partition_of,
    split_id,
)
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError, Status
from connorg.contract.organization import ConnectedOrganization
from connorg.contract.requests import IfExists
from connorg.contract.storage_names import LEDGER_TABLE
from connorg.core.domain import lifecycle
from connorg.core.domain.outcomes import Connected, Later, Refused
from connorg.core.domain.timing import Timing
from connorg.core.ports import (
    ClaimHeld,
    Holding,
    KeyReservation,
    Ledger,
    OnboardingFilter,
    StorageUnavailableError,
    SupersededError,
)
from connorg.core.throttle.gate import Gate, GateStore
from connorg.storage.connection import table as table_client
from connorg.storage.gate import AzureGateStore
from connorg.storage.ledger import AzureLedger
from tests.simulation.storage import SimulatedTableClient, Table
from tests.unit.partners import domain_source, request

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
ERROR = OnboardingError(code="PermissionMissing", message="A permission is missing.")
EVERYTHING = OnboardingFilter()


@pytest.fixture
def ledger(any_table: Any) -> Ledger:
    return AzureLedger(any_table)


@pytest.fixture
def gate_store(any_table: Any) -> GateStore:
    return AzureGateStore(any_table)


def partner() -> str:
    return f"{uuid4().hex}.example"


def onboarding(
    domain: str | None = None, at: datetime = NOW, channel: str = "http", **attributes: Any
) -> Onboarding:
    asked = request(domain_source(domain or partner()), **attributes)
    return Onboarding(
        id=new_onboarding_id(asked.natural_key, at, Random()),
        status=Status.NOT_STARTED,
        channel=channel,
        request=asked,
        reference=asked.reference,
        created_date_time=at,
        last_action_date_time=at,
        give_up_date_time=at + timedelta(days=1),
    )


async def opened(ledger: Ledger, newcomer: Onboarding) -> Onboarding:
    answer = await ledger.open(newcomer)
    assert isinstance(answer, Onboarding)
    return answer


async def concluded(ledger: Ledger, held: Onboarding, outcome: Any) -> Onboarding:
    begun = await ledger.save(lifecycle.begin(held, NOW, Timing()))
    return await ledger.save(lifecycle.conclude(begun, outcome, NOW, Timing(), Random()))


# open


async def test_an_onboarding_is_read_as_it_was_opened(ledger: Ledger) -> None:
    newcomer = onboarding()
    answer = await opened(ledger, newcomer)
    assert answer.etag is not None
    assert await ledger.read(newcomer.id) == answer
    assert answer.model_copy(update={"etag": None}) == newcomer


async def test_a_claim_that_does_not_give_way_keeps_others_out(ledger: Ledger) -> None:
    domain = partner()
    holder = await opened(ledger, onboarding(domain))
    newcomer = onboarding(domain)
    assert await ledger.open(newcomer) == ClaimHeld(holder)
    assert await ledger.read(newcomer.id) is None


async def test_who_opens_twice_meets_itself(ledger: Ledger) -> None:
    newcomer = onboarding()
    first = await opened(ledger, newcomer)
    assert await ledger.open(newcomer) == ClaimHeld(first)


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED])
async def test_a_failed_or_canceled_holder_gives_way_and_stays_readable(
    ledger: Ledger, status: Status
) -> None:
    domain = partner()
    held = await opened(ledger, onboarding(domain))
    first = await ledger.save(lifecycle.move(held, status, NOW))
    second = await opened(ledger, onboarding(domain))
    assert await ledger.read(first.id) == first
    assert await ledger.open(onboarding(domain)) == ClaimHeld(second)


async def test_a_success_gives_way_to_an_update_that_differs_alone(ledger: Ledger) -> None:
    domain = partner()
    connected = Connected(*created())
    success = await concluded(ledger, await opened(ledger, onboarding(domain)), connected)
    for kept_out in (
        onboarding(domain),
        onboarding(domain, description="Another"),
        onboarding(domain, ifExists=IfExists.UPDATE),
    ):
        assert await ledger.open(kept_out) == ClaimHeld(success)
    await opened(ledger, onboarding(domain, description="Another", ifExists=IfExists.UPDATE))


async def test_who_takes_over_inherits_the_doubt_about_a_post(ledger: Ledger) -> None:
    domain = partner()
    unsure = Later(ERROR, ambiguous=True)
    waiting = await concluded(ledger, await opened(ledger, onboarding(domain)), unsure)
    canceled = await ledger.save(lifecycle.cancel(waiting, NOW))
    heir = await opened(ledger, onboarding(domain))
    assert heir.doubt_until is not None
    assert heir.doubt_until == canceled.doubt_until
    assert await ledger.read(heir.id) == heir


async def test_a_replay_reclaims_what_nobody_took_since(ledger: Ledger) -> None:
    failed = await concluded(ledger, await opened(ledger, onboarding()), Refused(ERROR))
    reopened = await opened(ledger, lifecycle.reopen(failed, "replay", NOW, Timing()))
    assert (await ledger.read(failed.id)) == reopened
    assert reopened.status is Status.NOT_STARTED


async def test_a_replay_meets_who_took_over_since(ledger: Ledger) -> None:
    domain = partner()
    failed = await concluded(ledger, await opened(ledger, onboarding(domain)), Refused(ERROR))
    holder = await opened(ledger, onboarding(domain))
    assert await ledger.open(lifecycle.reopen(failed, "replay", NOW, Timing())) == ClaimHeld(holder)
    assert await ledger.read(failed.id) == failed


async def test_a_replay_of_what_changed_since_is_superseded(ledger: Ledger) -> None:
    failed = await concluded(ledger, await opened(ledger, onboarding()), Refused(ERROR))
    await opened(ledger, lifecycle.reopen(failed, "first", NOW, Timing()))
    with pytest.raises(SupersededError):
        await ledger.open(lifecycle.reopen(failed, "second", NOW, Timing()))


async def test_of_many_who_open_at_once_one_gets_the_claim_and_all_know_which(
    ledger: Ledger,
) -> None:
    domain = partner()
    rivals = [onboarding(domain) for _ in range(8)]
    answers = await asyncio.gather(*(ledger.open(rival) for rival in rivals))
    winners = [answer for answer in answers if isinstance(answer, Onboarding)]
    assert len(winners) == 1
    holders = [answer.holder.id for answer in answers if isinstance(answer, ClaimHeld)]
    assert holders == [winners[0].id] * 7
    written = [rival.id for rival in rivals if await ledger.read(rival.id) is not None]
    assert written == [winners[0].id]


async def test_of_many_who_take_over_at_once_one_gets_the_claim(ledger: Ledger) -> None:
    domain = partner()
    await ledger.save(lifecycle.fail(await opened(ledger, onboarding(domain)), ERROR, NOW))
    answers = await asyncio.gather(*(ledger.open(onboarding(domain)) for _ in range(8)))
    assert sum(isinstance(answer, Onboarding) for answer in answers) == 1


async def test_of_many_messages_of_one_onboarding_one_opens_it(ledger: Ledger) -> None:
    newcomer = onboarding()
    answers = await asyncio.gather(*(ledger.open(newcomer) for _ in range(8)))
    assert sum(isinstance(answer, Onboarding) for answer in answers) == 1
    holders = {answer.holder.id for answer in answers if isinstance(answer, ClaimHeld)}
    assert holders == {newcomer.id}


# record, read, save


async def test_the_holder_of_an_identity_source_is_found_by_it(ledger: Ledger) -> None:
    held = await opened(ledger, onboarding(domain := partner()))
    assert await ledger.holder_of(f"domain:{domain}") == held
    assert await ledger.holder_of(f"domain:{partner()}") is None


# Tenants under several names


async def test_the_first_to_connect_a_tenant_keeps_the_note_while_it_is_at_it(
    ledger: Ledger,
) -> None:
    tenant_id = str(uuid4())
    first, second = [await opened(ledger, onboarding()) for _ in range(2)]
    assert await ledger.claim_tenant(tenant_id, first) is None
    assert await ledger.claim_tenant(tenant_id, second) == first
    assert await ledger.claim_tenant(tenant_id, first) is None
    assert await ledger.claim_tenant(str(uuid4()), second) is None


async def test_an_organization_that_stands_keeps_its_tenant(ledger: Ledger) -> None:
    tenant_id = str(uuid4())
    first, second = [await opened(ledger, onboarding()) for _ in range(2)]
    await ledger.claim_tenant(tenant_id, first)
    done = await concluded(ledger, first, Connected(*created()))
    for _ in range(2):
        assert await ledger.claim_tenant(tenant_id, second) == done


async def test_a_tenant_is_given_to_who_knows_what_the_last_one_came_to(ledger: Ledger) -> None:
    tenant_id = str(uuid4())
    first, second, third = [await opened(ledger, onboarding()) for _ in range(3)]
    await ledger.claim_tenant(tenant_id, first)
    failed = await concluded(ledger, first, Refused(ERROR))
    for _ in range(2):
        assert await ledger.claim_tenant(tenant_id, second) == failed, "it is told whom it follows"
    assert await ledger.claim_tenant(tenant_id, second, failed) is None
    assert await ledger.claim_tenant(tenant_id, third, failed) == second, "it comes too late"


@pytest.mark.parametrize("is_taken", [False, True])
async def test_of_many_who_claim_a_tenant_at_once_one_gets_it(
    ledger: Ledger, *, is_taken: bool
) -> None:
    tenant_id = str(uuid4())
    earlier = await opened(ledger, onboarding())
    if is_taken:
        await ledger.claim_tenant(tenant_id, earlier)
    rivals = [await opened(ledger, onboarding()) for _ in range(8)]
    claims = (ledger.claim_tenant(tenant_id, rival, earlier) for rival in rivals)
    told = await asyncio.gather(*claims)
    [winner] = [rival for rival, other in zip(rivals, told, strict=True) if other is None]
    assert all(other == winner for other in told if other is not None)


async def test_onboardings_are_found_by_their_organization(ledger: Ledger) -> None:
    first, second, other = [await opened(ledger, onboarding()) for _ in range(3)]
    conclusion, organization = created()
    for held in (first, second):
        await concluded(ledger, held, Connected(conclusion, organization))
    await concluded(ledger, other, Connected(*created()))
    found = await ledger.of_organization(organization.id)
    assert {held.id for held in found} == {first.id, second.id}
    assert await ledger.of_organization(str(uuid4())) == ()


async def test_what_is_recorded_claims_nothing(ledger: Ledger) -> None:
    domain = partner()
    recorded = lifecycle.fail(onboarding(domain), ERROR, NOW)
    await ledger.record(recorded)
    held = await ledger.read(recorded.id)
    assert held is not None
    assert held.model_copy(update={"etag": None}) == recorded
    await opened(ledger, onboarding(domain))


async def test_what_is_recorded_twice_stays_as_it_was(ledger: Ledger) -> None:
    recorded = lifecycle.fail(onboarding(), ERROR, NOW)
    await ledger.record(recorded)
    before = await ledger.read(recorded.id)
    await ledger.record(recorded.model_copy(update={"source": "another"}))
    assert await ledger.read(recorded.id) == before


async def test_what_could_not_be_understood_is_read_and_listed(ledger: Ledger) -> None:
    unreadable = onboarding().model_copy(update={"request": None, "message_text": "{"})
    await ledger.record(lifecycle.fail(unreadable, ERROR, NOW))
    held = await ledger.read(unreadable.id)
    assert held is not None
    assert held.message_text == "{"
    assert await listed(ledger) == [unreadable.id]


async def test_an_unknown_onboarding_is_none_with_and_without_a_table(ledger: Ledger) -> None:
    assert await ledger.read(onboarding().id) is None
    await opened(ledger, onboarding())
    assert await ledger.read(onboarding().id) is None


async def test_all_that_an_attempt_writes_is_read_again(ledger: Ledger) -> None:
    held = await opened(ledger, onboarding(reference="RITM0010001"))
    waiting = await concluded(ledger, held, Later(ERROR, ambiguous=True, retry_after=7.5))
    assert await ledger.read(held.id) == waiting
    done = await concluded(ledger, waiting, Connected(*created()))
    assert await ledger.read(held.id) == done


async def test_only_the_version_that_was_read_can_be_replaced(ledger: Ledger) -> None:
    held = await opened(ledger, onboarding())
    begun = await ledger.save(lifecycle.begin(held, NOW, Timing()))
    with pytest.raises(SupersededError):
        await ledger.save(lifecycle.cancel(held, NOW))
    assert await ledger.read(held.id) == begun


async def test_of_many_who_begin_at_once_one_gets_the_lease(ledger: Ledger) -> None:
    held = await opened(ledger, onboarding())
    begun = lifecycle.begin(held, NOW, Timing())
    answers = await asyncio.gather(*(ledger.save(begun) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, Onboarding) for answer in answers) == 1
    assert sum(isinstance(answer, SupersededError) for answer in answers) == 7


async def test_what_is_gone_cannot_be_saved(ledger: Ledger) -> None:
    held = await opened(ledger, onboarding())
    never_written = onboarding().model_copy(update={"etag": held.etag})
    with pytest.raises(SupersededError):
        await ledger.save(lifecycle.cancel(never_written, NOW))


# list


async def listed(
    ledger: Ledger, which: OnboardingFilter = EVERYTHING, limit: int = 100
) -> list[str]:
    """The ids of all pages."""
    ids: list[str] = []
    continuation = None
    while True:
        page = await ledger.list(which, limit, continuation)
        assert len(page.onboardings) <= limit
        ids += [onboarding.id for onboarding in page.onboardings]
        continuation = page.continuation
        if continuation is None:
            return ids


async def test_nothing_is_listed_where_nothing_was_onboarded(ledger: Ledger) -> None:
    assert await listed(ledger) == []


async def test_the_newest_are_listed_first_page_by_page(ledger: Ledger) -> None:
    ages = [3, 0, 4, 1, 5, 2, 6]
    held = [await opened(ledger, onboarding(at=NOW - timedelta(hours=age))) for age in ages]
    newest_first = [o.id for o in sorted(held, key=lambda o: o.created_date_time, reverse=True)]
    for limit in (1, 2, 3, 7, 100):
        assert await listed(ledger, limit=limit) == newest_first


async def test_a_page_that_holds_the_last_says_so(ledger: Ledger) -> None:
    for hour in range(2):
        await opened(ledger, onboarding(at=NOW + timedelta(hours=hour)))
    assert (await ledger.list(EVERYTHING, 2, None)).continuation is None
    assert (await ledger.list(EVERYTHING, 1, None)).continuation is not None


async def test_onboardings_alone_are_listed(ledger: Ledger, gate_store: GateStore) -> None:
    held = await opened(ledger, onboarding())
    await ledger.reserve_key("caller", "key", KeyReservation("fingerprint", held.id))
    await gate_store.change(lambda gate: gate.closed(NOW))
    assert await listed(ledger) == [held.id]


async def test_what_was_never_begun_is_read_but_not_listed(ledger: Ledger) -> None:
    held = await opened(ledger, onboarding())
    joined = await ledger.record(lifecycle.join(onboarding(), held, NOW))
    assert await ledger.read(joined.id) is not None
    assert await listed(ledger) == [held.id]
    assert await listed(ledger, OnboardingFilter(status=Status.CANCELED)) == []


async def test_filters_select_and_combine(ledger: Ledger) -> None:
    waiting = await opened(ledger, onboarding(channel="webhook", reference="it's mine"))
    failed = await opened(ledger, onboarding(channel="webhook", at=NOW - timedelta(hours=1)))
    await ledger.save(lifecycle.fail(failed, ERROR, NOW))
    other = await opened(ledger, onboarding(channel="http", at=NOW - timedelta(hours=2)))
    assert await listed(ledger, OnboardingFilter(status=Status.FAILED)) == [failed.id]
    assert await listed(ledger, OnboardingFilter(channel="webhook")) == [waiting.id, failed.id]
    assert await listed(ledger, OnboardingFilter(channel="http")) == [other.id]
    assert await listed(ledger, OnboardingFilter(reference="it's mine")) == [waiting.id]
    assert await listed(ledger, OnboardingFilter(Status.FAILED, "webhook")) == [failed.id]
    assert await listed(ledger, OnboardingFilter(Status.FAILED, "http")) == []


async def test_onboardings_are_found_by_code_by_time_and_by_what_people_know(
    ledger: Ledger,
) -> None:
    name = partner()
    held = await opened(ledger, onboarding(f"{name}", displayName="Straße AG", reference="REQ-77"))
    failed = await opened(ledger, onboarding(at=NOW - timedelta(hours=1)))
    await ledger.save(lifecycle.fail(failed, ERROR, NOW))
    old = await opened(ledger, onboarding(at=NOW - timedelta(hours=2)))
    hour = timedelta(hours=1)
    for which, found in (
        (OnboardingFilter(code=ERROR.code), [failed]),
        (OnboardingFilter(Status.FAILED, code=ERROR.code), [failed]),
        (OnboardingFilter(Status.WAITING, code=ERROR.code), []),
        (OnboardingFilter(code="Other"), []),
        (OnboardingFilter(since=NOW - hour), [held, failed]),
        (OnboardingFilter(since=NOW + hour), []),
        (OnboardingFilter(until=NOW - hour), [failed, old]),
        (OnboardingFilter(since=NOW - hour, until=NOW - hour), [failed]),
        (OnboardingFilter(text="STRASSE"), [held]),
        (OnboardingFilter(text=name.upper()), [held]),
        (OnboardingFilter(text="req-7"), [held]),
        (OnboardingFilter(text="nothing of it"), []),
        (OnboardingFilter(text="req-7", code=ERROR.code), []),
    ):
        assert await listed(ledger, which) == [one.id for one in found], which
        assert await listed(ledger, which, 1) == [one.id for one in found], which
        outlined = [one.id async for one in ledger.outline(which)]
        assert sorted(outlined) == sorted(one.id for one in found), which


async def test_the_rows_of_a_batch_are_listed(ledger: Ledger) -> None:
    place, elsewhere = (RowRef(batch=new_batch_id(NOW, Random(seed)), row=1) for seed in (1, 2))
    row = onboarding().model_copy(update={"batch_row": place})
    await opened(ledger, row)
    await opened(ledger, onboarding().model_copy(update={"batch_row": elsewhere}))
    await opened(ledger, onboarding())
    assert await listed(ledger, OnboardingFilter(batch=place.batch)) == [row.id]
    held = await ledger.read(row.id)
    assert held is not None
    assert held.batch_row == place


# reserve_key


async def test_a_key_stays_bound_to_what_it_was_first_bound_to(ledger: Ledger) -> None:
    first, second = KeyReservation("a", onboarding().id), KeyReservation("b", onboarding().id)
    assert await ledger.reserve_key("caller", "key", first) == first
    assert await ledger.reserve_key("caller", "key", second) == first


async def test_keys_of_two_callers_are_two_keys(ledger: Ledger) -> None:
    first, second = KeyReservation("a", onboarding().id), KeyReservation("b", onboarding().id)
    assert await ledger.reserve_key("caller", "key", first) == first
    assert await ledger.reserve_key("other", "key", second) == second
    assert await ledger.reserve_key("callerk", "ey", second) == second


async def test_all_who_bind_a_key_at_once_agree(ledger: Ledger) -> None:
    wanted = [KeyReservation(str(i), onboarding().id) for i in range(8)]
    bound = await asyncio.gather(*(ledger.reserve_key("caller", "key", w) for w in wanted))
    assert len(set(bound)) == 1
    assert bound[0] in wanted


# gate


async def test_a_gate_that_nobody_changed_is_open(gate_store: GateStore) -> None:
    assert await gate_store.read() == Gate()


async def test_the_gate_is_read_as_it_was_changed(gate_store: GateStore) -> None:
    later = NOW + timedelta(minutes=5, microseconds=1)
    changed = await gate_store.change(lambda gate: gate.closed(later, ERROR))
    assert changed == Gate().closed(later, ERROR)
    assert await gate_store.read() == changed
    changed = await gate_store.change(lambda gate: gate.with_turns(3, NOW))
    assert changed == Gate().closed(later, ERROR).with_turns(3, NOW)
    assert await gate_store.read() == changed


async def test_no_change_of_the_gate_is_lost(gate_store: GateStore) -> None:
    """The turns of all who take some at once are as many as they asked for."""
    answers = await asyncio.gather(
        *(gate_store.change(lambda gate: gate.with_turns(1, NOW)) for _ in range(8))
    )
    turns = [turn for gate in answers for turn in gate.last_turns(1)]
    assert len(set(turns)) == 8


async def test_of_many_who_close_the_gate_at_once_the_longest_time_stands(
    gate_store: GateStore,
) -> None:
    def closing(until: datetime) -> Callable[[Gate], Gate]:
        return lambda gate: gate.closed(until)

    times = [NOW + timedelta(seconds=s) for s in (4, 1, 7, 2, 0, 5, 3, 6)]
    await asyncio.gather(*(gate_store.change(closing(time)) for time in times))
    assert (await gate_store.read()).closed_until == max(times)


# storage that fails


@pytest.fixture(params=["simulated", "real"])
async def unreachable(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A table that nobody answers for."""
    if request.param == "simulated":

        async def broken[T](_: str, __: Callable[[], T]) -> T:
            raise ServiceRequestError("no route to host")

        yield SimulatedTableClient(Table(), broken)
        return
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, but nobody listens
        async with table_client(
            LEDGER_TABLE, connection_string(nobody.getsockname()[1]), None, None
        ) as table:
            yield table


CALLS: dict[str, Callable[[Ledger], Awaitable[object]]] = {
    "open": lambda ledger: ledger.open(onboarding()),
    "record": lambda ledger: ledger.record(onboarding()),
    "read": lambda ledger: ledger.read(onboarding().id),
    "save": lambda ledger: ledger.save(onboarding().model_copy(update={"etag": "1"})),
    "holder_of": lambda ledger: ledger.holder_of("domain:contoso.com"),
    "claim_tenant": lambda ledger: ledger.claim_tenant("tenant", onboarding()),
    "of_organization": lambda ledger: ledger.of_organization("organization"),
    "list": lambda ledger: ledger.list(EVERYTHING, 10, None),
    "reserve_key": lambda ledger: ledger.reserve_key("caller", "key", KeyReservation("a", "b")),
}
CALLS_TO_THE_GATE: dict[str, Callable[[GateStore], Awaitable[object]]] = {
    "read": lambda store: store.read(),
    "change": lambda store: store.change(Gate.unblocked),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_every_method_tells_that_storage_cannot_be_reached(
    unreachable: Any, call: Callable[[Ledger], Awaitable[object]]
) -> None:
    with pytest.raises(StorageUnavailableError):
        await call(AzureLedger(unreachable))


@pytest.mark.parametrize("call", CALLS_TO_THE_GATE.values(), ids=CALLS_TO_THE_GATE)
async def test_every_call_to_the_gate_tells_that_storage_cannot_be_reached(
    unreachable: Any, call: Callable[[GateStore], Awaitable[object]]
) -> None:
    with pytest.raises(StorageUnavailableError):
        await call(AzureGateStore(unreachable))


@pytest.mark.parametrize("status", [403, 408, 429, 500, 503])
async def test_a_storage_that_refuses_is_unavailable(status: int) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    async with (
        TestServer(app) as server,
        table_client(LEDGER_TABLE, connection_string(server.port or 0), None, None) as table,
    ):
        ledger = AzureLedger(table)
        for name in ("open", "read", "save", "list"):
            with pytest.raises(StorageUnavailableError):
                await CALLS[name](ledger)
        with pytest.raises(StorageUnavailableError):
            await AzureGateStore(table).read()


def connection_string(port: int) -> str:
    key = "bm90IGEgc2VjcmV0"
    endpoint = f"http://127.0.0.1:{port}/account"
    return f"AccountName=account;AccountKey={key};TableEndpoint={endpoint};QueueEndpoint={endpoint}"


def created() -> tuple[Any, ConnectedOrganization]:
    organization = ConnectedOrganization(
        id=str(uuid4()), display_name="Contoso", description="A partner", state="configured"
    )
    return Conclusion.CREATED, organization


# forget


async def test_all_that_is_held_of_an_identity_source_is_told(ledger: Ledger) -> None:
    domain, tenant_id = partner(), str(uuid4())
    held = await opened(ledger, onboarding(domain))
    note = await ledger.record_callback(await ledger.callback(held.id, "callback-1"))
    await opened(ledger, onboarding())
    place, _ = split_id(held.id)
    assert await ledger.holding(place) == Holding((held,), (note,), None)
    await ledger.claim_tenant(tenant_id, held)
    of_tenant = await ledger.holding(partition_of(f"tenant:{tenant_id}"))
    assert of_tenant == Holding((), (), held.id)
    assert await ledger.holding("0" * 24) == Holding((), (), None)


async def test_keys_are_told_by_what_they_are_bound_to(ledger: Ledger) -> None:
    mine, other = onboarding(), onboarding()
    assert await ledger.keys([split_id(mine.id)[0]]) == ()
    for held in (mine, other):
        await ledger.reserve_key("caller", held.id, KeyReservation("a", held.id))
    [key] = await ledger.keys([split_id(mine.id)[0]])
    assert key.onboarding_id == mine.id
    await ledger.erase(key)
    await ledger.erase(key)
    assert await ledger.keys([split_id(mine.id)[0]]) == ()
    assert len(await ledger.keys([split_id(other.id)[0]])) == 1


async def test_a_callback_that_changed_since_is_not_erased(ledger: Ledger) -> None:
    held = await opened(ledger, onboarding())
    note = await ledger.record_callback(await ledger.callback(held.id, "callback-1"))
    later = await ledger.record_callback(note.model_copy(update={"ended": "delivered"}))
    with pytest.raises(SupersededError):
        await ledger.erase(note)
    await ledger.erase(later)
    assert (await ledger.holding(split_id(held.id)[0])).callbacks == ()


async def test_what_was_forgotten_ended_and_is_in_no_list(ledger: Ledger) -> None:
    domain = partner()
    done = await concluded(ledger, await opened(ledger, onboarding(domain)), Connected(*created()))
    assert await ledger.organizations() == {done.result and done.result.id}
    left = await ledger.save(lifecycle.forget(done))
    assert await ledger.read(done.id) == left
    assert (left.status.terminal, left.is_forgotten, left.request) == (True, True, None)
    assert (await ledger.list(EVERYTHING, 10, None)).onboardings == ()
    assert [one async for one in ledger.outline(EVERYTHING)] == []
    assert await ledger.organizations() == frozenset()
    assert (await ledger.holding(split_id(done.id)[0])).onboardings == ()
    assert await ledger.holder_of(f"domain:{domain}") is None
    anew = done.model_copy(update={"etag": None, "status": Status.NOT_STARTED, "result": None})
    assert await ledger.open(anew) == ClaimHeld(left), "no message of it begins it anew"
    newcomer = await opened(ledger, onboarding(domain))
    assert newcomer.doubt_until == left.doubt_until, "who follows looks Graph up first"
