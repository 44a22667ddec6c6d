"""A batch: no row is left out, none is taken that is done, and what is told of it adds up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from connorg.contract.batch_views import BatchForecast, BatchStatus, RowProspect
from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.faults import RowFault
from connorg.contract.messages import BatchMessage, OnboardingMessage
from connorg.contract.onboarding import Conclusion, OnboardingError, Status
from connorg.contract.organization import (
    ConnectedOrganization,
    Difference,
    StoredIdentitySource,
)
from connorg.core.batches.accept import (
    BatchSubmission,
    apply_policy,
    cancel_batch,
    enqueue_rows,
    message_of_row,
    replay_batch,
    submit_batch,
)
from connorg.core.batches.forecast import forecast_batch
from connorg.core.batches.progress import progress, results
from connorg.core.batches.rows import bury_rows, resume_rows
from connorg.core.domain.claims import Conflict, Reason
from connorg.core.domain.outcomes import Setback
from connorg.core.policy.callback_urls import LOGIC_APPS
from connorg.core.policy.rules import Policy
from connorg.core.ports import OrganizationFilter, OrganizationPage
from connorg.core.services import Services
from connorg.partner_files.reader import PartnerRow
from tests.unit.core.scene import BUSY, Scene
from tests.unit.partners import domain_source, request

SLICE = 5
ERROR = OnboardingError(code="RefusedByGraph", message="simulated")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def row(number: int, **values: Any) -> BatchRow:
    name = f"partner-{number}.example"
    known = {
        "batch_id": "",
        "number": number,
        "name": name,
        "request": request(domain_source(name)),
    }
    return BatchRow.model_validate({**known, **values})


async def submitted(
    scene: Scene, rows: Sequence[BatchRow], key: str | None = None, body: str = "body"
) -> Batch:
    answer = await submit(scene, rows, key, body)
    assert isinstance(answer, Batch)
    return answer


async def submit(
    scene: Scene, rows: Sequence[BatchRow], key: str | None = None, body: str = "body"
) -> Batch | Conflict:
    asked = BatchSubmission(tuple(rows), (), None, "caller", key, body, None)
    return await submit_batch(scene.services, asked)


async def statuses(scene: Scene, batch: Batch) -> dict[int, RowStatus]:
    return {row.number: row.status for row in await scene.services.batches.outline(batch.id)}


async def worked_off(scene: Scene) -> None:
    """Deliver all messages until none is left."""
    for _ in range(30):
        await scene.deliver()
        scene.clock.moment += timedelta(minutes=2)
    assert not scene.queue.messages


def rows_messages(scene: Scene) -> list[BatchMessage]:
    return [
        BatchMessage.model_validate_json(message.text) for message in scene.queue.messages.values()
    ]


# Accepting


@pytest.mark.parametrize("refused", [True, False])
def test_a_row_may_not_ask_to_be_called_back_whatever_the_policy_allows(*, refused: bool) -> None:
    scene = Scene()
    services = replace(scene.services, policy=Policy(callback_hosts=() if refused else LOGIC_APPS))
    asked = request(callbackUrl="https://prod-1.westeurope.logic.azure.com/run")
    judged = apply_policy(services, PartnerRow(2, "contoso.com", asked), None)
    assert (judged.status, judged.request) == (RowStatus.INVALID, None)
    [fault] = judged.faults
    assert (fault.row, fault.pointer, fault.rule) == (2, "/callbackUrl", None)


async def test_what_the_policy_refuses_is_a_fault_of_its_row_under_its_column(scene: Scene) -> None:
    services = replace(scene.services, policy=Policy(denied=frozenset({"contoso.com"})))
    partner = PartnerRow(
        7, "contoso.com", request(), columns={"/identitySources/0/domainName": "Domain"}
    )
    judged = apply_policy(services, partner, "REQ1")
    assert (judged.status, judged.request) == (RowStatus.INVALID, None)
    [fault] = judged.faults
    assert (fault.row, fault.rule) == (7, "denied")
    allowed = apply_policy(scene.services, partner, "REQ1")
    assert allowed.request is not None
    assert (allowed.status, allowed.request.reference) == (RowStatus.NOT_STARTED, "REQ1")


async def test_a_batch_and_its_rows_are_there_before_its_message(scene: Scene) -> None:
    seen: list[int] = []

    async def look() -> None:
        [batch_id] = {partition for partition, _ in scene.batches.rows}
        assert await scene.services.batches.read(batch_id) is not None
        seen.append(len(await scene.services.batches.rows(batch_id)))

    scene.meanwhile("put in", look)
    await submitted(scene, [row(number) for number in range(1, 8)])
    assert seen == [7]


async def test_a_file_sent_again_with_its_key_is_the_same_batch(scene: Scene) -> None:
    rows = [row(1), row(2)]
    first = await submitted(scene, rows, "key")
    await worked_off(scene)
    again = await submitted(scene, rows, "key")
    assert again == first
    assert not scene.queue.messages
    other = await submit(scene, rows, "key", "another body")
    assert isinstance(other, Conflict)
    assert (other.reason, other.onboarding_id) == (Reason.KEY_REUSED, first.id)
    assert (await submitted(scene, rows, "another key")).id != first.id
    assert (await submitted(scene, rows)).id != first.id


async def test_a_file_that_was_written_without_a_message_gets_one_when_it_is_sent_again(
    scene: Scene,
) -> None:
    first = await submitted(scene, [row(1)], "key")
    scene.queue.messages.clear()  # the process died before it put it
    again = await submitted(scene, [row(1)], "key")
    assert again == first
    await worked_off(scene)
    assert await statuses(scene, first) == {1: RowStatus.SUCCEEDED}


@pytest.mark.parametrize("count", range(1, 2 * SLICE + 3))
async def test_each_row_is_in_one_message_whatever_their_number(scene: Scene, count: int) -> None:
    numbers = [3 * number for number in range(1, count + 1)]  # as a file with faults leaves them
    batch = await submitted(scene, [row(number) for number in numbers])
    await scene.deliver()
    covered = [
        [number for number in numbers if (some.first or 0) <= number <= (some.last or 0)]
        for some in rows_messages(scene)
    ]
    assert sorted(chain.from_iterable(covered)) == numbers
    assert max(map(len, covered)) <= SLICE
    await worked_off(scene)
    assert await statuses(scene, batch) == dict.fromkeys(numbers, RowStatus.SUCCEEDED)
    assert set(scene.graph.commits.values()) == {1}


async def test_rows_that_nothing_is_to_be_done_for_are_not_put_on_the_queue(scene: Scene) -> None:
    fault = RowFault(row=3, pointer="/state", detail="It is wrong.")
    rows = [
        row(1),
        row(2, duplicate_of=1),
        row(3, status=RowStatus.INVALID, faults=(fault,), request=None),
        row(4, status=RowStatus.CANCELED),
    ]
    batch = await submitted(scene, rows)
    await scene.deliver()
    [message] = rows_messages(scene)
    assert (message.first, message.last) == (1, 1)
    await worked_off(scene)
    assert len(scene.graph.commits) == 1
    assert (await statuses(scene, batch))[2] is RowStatus.NOT_STARTED, "it is told by the first"


# Outages


@pytest.mark.parametrize("kind", ["batch", "rows", "row"])
async def test_in_an_outage_of_the_tables_a_message_comes_again(scene: Scene, kind: str) -> None:
    batch = await submitted(scene, [row(1), row(2)])
    scene.queue.messages.clear()
    whole = BatchMessage(batch_id=batch.id)
    some = whole.model_copy(update={"first": 1, "last": 2})
    [first, _] = await scene.services.batches.rows(batch.id, requests=True)
    messages: dict[str, OnboardingMessage | BatchMessage] = {
        "batch": whole,
        "rows": some,
        "row": message_of_row(first, whole),
    }
    message = messages[kind]
    scene.tables_are_away = True
    for deliveries in (1, 2):
        await resume_rows(scene.services, message, deliveries)
        [(_, put)] = scene.queue.messages.items()
        assert put.text == message.model_dump_json(exclude_none=True)
        scene.queue.messages.clear()
    scene.tables_are_away = False
    await resume_rows(scene.services, message, 1)
    await worked_off(scene)
    assert (await statuses(scene, batch))[1] is RowStatus.SUCCEEDED


async def test_a_row_that_met_an_outage_alone_comes_again_alone(scene: Scene) -> None:
    batch = await submitted(scene, [row(1), row(2)])
    await scene.deliver()

    async def goes_away() -> None:
        scene.tables_are_away = True

    async def is_back() -> None:
        scene.tables_are_away = False

    scene.meanwhile(
        "Graph's create", goes_away
    )  # one row's attempt can't write what Graph has done
    scene.meanwhile("put in", is_back)
    await worked_off(scene)
    assert set((await statuses(scene, batch)).values()) == {RowStatus.SUCCEEDED}
    assert set(scene.graph.commits.values()) == {1}


# Notes


async def test_a_row_that_waits_is_noted_and_comes_again(scene: Scene) -> None:
    batch = await submitted(scene, [row(1)])
    scene.setback = BUSY
    await scene.deliver()
    await scene.deliver()
    assert await statuses(scene, batch) == {1: RowStatus.WAITING}
    scene.setback = None
    await worked_off(scene)
    assert await statuses(scene, batch) == {1: RowStatus.SUCCEEDED}


async def test_rows_are_noted_though_one_of_them_was_noted_meanwhile(scene: Scene) -> None:
    batch = await submitted(scene, [row(1), row(2), row(3)])
    await scene.deliver()

    async def other_notes() -> None:
        [first] = await scene.services.batches.rows(batch.id, 1, 1)
        await scene.services.batches.save([first.model_copy(update={"attempts": 9})])

    for _ in range(3):  # the onboardings are opened
        scene.meanwhile("transaction", _nothing)
    scene.meanwhile("transaction", other_notes)  # and then what they came to is noted
    await worked_off(scene)
    assert set((await statuses(scene, batch)).values()) == {RowStatus.SUCCEEDED}


async def _nothing() -> None: ...


@pytest.mark.parametrize("whole", [True, False])
async def test_rows_that_are_given_up_end_and_end_their_batch(scene: Scene, *, whole: bool) -> None:
    batch = await submitted(scene, [row(1), row(2)])
    rows = await scene.services.batches.rows(batch.id, requests=True)
    all_rows = BatchMessage(batch_id=batch.id)
    messages: list[OnboardingMessage | BatchMessage] = (
        [all_rows] if whole else [message_of_row(one, all_rows) for one in rows]
    )
    for message in messages:
        await bury_rows(scene.services, message)
    assert (await progress(scene.services, batch)).status is BatchStatus.FAILED
    assert await statuses(scene, batch) == {1: RowStatus.FAILED, 2: RowStatus.FAILED}


# Replay and cancel


def in_each_status() -> list[BatchRow]:
    """Rows that are numbered as RowStatus has them, from 1; after them a double of the one that
    failed."""
    rows = [row(number, status=status) for number, status in enumerate(RowStatus, 1)]
    failed = 1 + list(RowStatus).index(RowStatus.FAILED)
    return [*rows, row(len(rows) + 1, duplicate_of=failed)]


async def test_a_replay_of_a_batch_takes_the_rows_that_failed_alone(scene: Scene) -> None:
    batch = await submitted(scene, in_each_status())
    scene.queue.messages.clear()
    before = await scene.services.batches.rows(batch.id)
    await replay_batch(scene.services, batch)
    after = await scene.services.batches.rows(batch.id)
    changed = [new.number for old, new in zip(before, after, strict=True) if old != new]
    assert [before[number - 1].status for number in changed] == [RowStatus.FAILED]
    await scene.deliver()
    assert [(m.first, m.last) for m in rows_messages(scene)] == [(changed[0], changed[0])]
    await worked_off(scene)
    assert list(scene.graph.commits) == [f"domain:partner-{changed[0]}.example"]


async def test_an_old_message_takes_no_row_of_a_replay(scene: Scene) -> None:
    batch = await submitted(scene, [row(1, status=RowStatus.FAILED)])
    scene.queue.messages.clear()
    await replay_batch(scene.services, batch)
    scene.queue.messages.clear()
    await enqueue_rows(scene.services, BatchMessage(batch_id=batch.id))
    old = BatchMessage(batch_id=batch.id, first=1, last=1)
    await resume_rows(scene.services, old, 1)
    assert not scene.queue.messages
    assert not scene.graph.commits


async def test_an_older_replay_does_not_take_rows_back_from_a_newer_one(scene: Scene) -> None:
    batch = await submitted(scene, [row(1, status=RowStatus.FAILED)])
    await replay_batch(scene.services, batch)
    [handed] = await scene.services.batches.rows(batch.id)
    failed = handed.model_copy(update={"status": RowStatus.FAILED, "error": ERROR})
    await scene.services.batches.save([failed])
    [held] = await scene.services.batches.rows(batch.id)
    await enqueue_rows(scene.services, BatchMessage(batch_id=batch.id, replay="0"))
    await enqueue_rows(scene.services, BatchMessage(batch_id=batch.id, replay=held.replay))
    assert await scene.services.batches.rows(batch.id) == (held,)


async def test_a_cancel_of_a_batch_leaves_no_row_that_waits(scene: Scene) -> None:
    """More rows than one transaction takes, and one that is noted meanwhile."""
    batch = await submitted(scene, [row(number) for number in range(1, 231)])

    async def other_notes() -> None:
        [first] = await scene.services.batches.rows(batch.id, 1, 1)
        await scene.services.batches.save(
            [first.model_copy(update={"status": RowStatus.WAITING, "noted_date_time": None})]
        )

    scene.meanwhile("transaction", other_notes)
    await cancel_batch(scene.services, batch)
    assert set((await statuses(scene, batch)).values()) == {RowStatus.CANCELED}
    await worked_off(scene)
    assert not scene.graph.commits


async def test_a_cancel_leaves_what_has_ended(scene: Scene) -> None:
    batch = await submitted(scene, in_each_status())
    before = await statuses(scene, batch)
    await cancel_batch(scene.services, batch)
    ended = {number: status for number, status in before.items() if status.terminal}
    after = await statuses(scene, batch)
    assert {number: after[number] for number in ended} == ended


async def test_what_a_canceled_row_had_begun_is_canceled_with_it(scene: Scene) -> None:
    batch = await submitted(scene, [row(1)])
    scene.setback = BUSY
    await scene.deliver()
    await scene.deliver()
    [waiting] = await results(scene.services.batches, batch)
    assert waiting.onboarding_id is not None
    await cancel_batch(scene.services, batch)
    scene.setback = None
    await worked_off(scene)
    begun = await scene.services.ledger.read(waiting.onboarding_id)
    assert begun is not None
    assert begun.status is Status.CANCELED
    assert not scene.graph.commits


# What is told


@pytest.mark.parametrize(
    ("among", "told"),
    [
        (RowStatus.SUCCEEDED, BatchStatus.SUCCEEDED),
        (RowStatus.CANCELED, BatchStatus.CANCELED),
        (RowStatus.FAILED, BatchStatus.FAILED),
        (RowStatus.INVALID, BatchStatus.FAILED),
        (RowStatus.WAITING, BatchStatus.RUNNING),
        (RowStatus.NOT_STARTED, BatchStatus.RUNNING),
    ],
)
async def test_a_batch_has_ended_when_each_row_has(
    scene: Scene, among: RowStatus, told: BatchStatus
) -> None:
    noted = {"status": RowStatus.SUCCEEDED, "noted_date_time": scene.clock.now()}
    batch = await submitted(scene, [row(1, **noted), row(2, status=among), row(3, **noted)])
    assert (await progress(scene.services, batch)).status is told


async def test_counts_add_up_though_rows_are_doubles(scene: Scene) -> None:
    scene.graph.refused.add("domain:partner-3.example")
    rows = [row(1), row(2, duplicate_of=1), row(3), row(4, duplicate_of=3), row(5)]
    batch = await submitted(scene, rows)
    view = await progress(scene.services, batch)
    assert (view.status, view.per_second) == (BatchStatus.NOT_STARTED, None)
    await worked_off(scene)
    view = await progress(scene.services, batch)
    assert view.rows == 5
    assert {status: count for status, count in view.counts.items() if count} == {
        RowStatus.SUCCEEDED: 3,
        RowStatus.FAILED: 2,
    }
    assert view.conclusions == {Conclusion.CREATED: 2}, "what was done, not what was asked for"
    told = await results(scene.services.batches, batch)
    assert [(one.row, one.status, one.error_code) for one in told] == [
        (1, RowStatus.SUCCEEDED, None),
        (2, RowStatus.SUCCEEDED, None),
        (3, RowStatus.FAILED, "RefusedByGraph"),
        (4, RowStatus.FAILED, "RefusedByGraph"),
        (5, RowStatus.SUCCEEDED, None),
    ]
    assert [error.row for error in view.first_errors] == [3]


# The forecast


class Pages:
    """Organizations that Graph lists one by one. See ports.OrganizationAdmin."""

    def __init__(self, *names: str) -> None:
        self._found = [
            ConnectedOrganization(
                id=name,
                identity_sources=(
                    StoredIdentitySource.model_validate(
                        {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": name}
                    ),
                ),
                **request().attributes,
            )
            for name in names
        ]

    async def list(
        self, _: OrganizationFilter, _top: int, continuation: str | None
    ) -> OrganizationPage:
        number = int(continuation or 0)
        more = str(number + 1) if number + 1 < len(self._found) else None
        return OrganizationPage((self._found[number],), more)

    async def delete(self, *_: object) -> None:
        raise AssertionError("a dry run changes nothing")

    async def list_sponsored(self, *_: object) -> Setback:
        raise AssertionError("a dry run does not ask for sponsors")

    remove_sponsor = add_to_subject = set_on_subject = delete


async def forecast(services: Services, rows: Sequence[BatchRow], *listed: str) -> BatchForecast:
    return await forecast_batch(services, Pages(*listed), rows, ())


async def test_a_forecast_looks_at_all_that_graph_lists(scene: Scene) -> None:
    names = [f"partner-{number}.example" for number in (1, 2, 3)]
    told = await forecast(scene.services, [row(number) for number in range(1, 5)], *names)
    assert [one.prospect for one in told.rows] == [RowProspect.EXISTS] * 3 + [RowProspect.CREATE]
    assert [one.organization_id for one in told.rows] == [*names, None]
    assert not scene.queue.messages
    assert not scene.ledger.rows
    assert not scene.graph.commits


async def test_a_forecast_tells_what_is_wrong_from_what_is_refused(scene: Scene) -> None:
    denying = replace(scene.services, policy=Policy(denied=frozenset({"contoso.com"})))
    called_back = request(callbackUrl="https://prod-1.westeurope.logic.azure.com/run")
    rows = [
        apply_policy(denying, PartnerRow(1, "contoso.com", request()), None),
        apply_policy(scene.services, PartnerRow(2, "contoso.com", called_back), None),
        row(3, duplicate_of=1),
        row(4),
    ]
    told = await forecast(scene.services, rows, "other.example")
    assert [one.prospect for one in told.rows] == [
        RowProspect.REFUSED,
        RowProspect.INVALID,
        RowProspect.DUPLICATE,
        RowProspect.CREATE,
    ]
    assert sum(told.counts.values()) == len(rows)


async def test_a_forecast_knows_what_is_under_way(scene: Scene) -> None:
    scene.setback = BUSY
    rows = [row(1), row(2)]
    batch = await submitted(scene, rows)
    await scene.deliver()
    await scene.deliver()
    told = await forecast(scene.services, rows, "other.example")
    assert {one.prospect for one in told.rows} == {RowProspect.UNDER_WAY}
    assert all(one.onboarding_id for one in told.rows)
    assert (await progress(scene.services, batch)).status is BatchStatus.RUNNING


async def test_a_forecast_names_what_differs(scene: Scene) -> None:
    other = request(domain_source("partner-1.example"), state="proposed")
    rows = [row(1, request=other), row(2), row(3)]
    told = await forecast(scene.services, rows, "partner-1.example", "partner-2.example")
    assert told.rows[0].differences == (
        Difference(attribute="state", requested="proposed", actual="configured"),
    )
    assert [one.differences for one in told.rows[1:]] == [None, None]


async def test_a_forecast_names_what_differs_from_what_is_under_way(scene: Scene) -> None:
    scene.setback = BUSY
    await submitted(scene, [row(1), row(2)])
    await scene.deliver()
    await scene.deliver()
    other = row(1, request=request(domain_source("partner-1.example"), description="Another"))
    told = await forecast(scene.services, [other], "other.example")
    assert told.rows[0].prospect is RowProspect.REFUSED
    assert [one.attribute for one in told.rows[0].differences or ()] == ["description"]
