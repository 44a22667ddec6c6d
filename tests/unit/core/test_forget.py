"""Forgetting a partner: all of it goes, nothing else does, and nothing is created twice by it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError

from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.callbacks import CallbackRecord
from connorg.contract.faults import RowFault
from connorg.contract.forgetting import Forgotten
from connorg.contract.identity_sources import natural_keys_of_domain, natural_keys_of_tenant
from connorg.contract.messages import CallbackMessage
from connorg.contract.onboarding import Conclusion, Onboarding, Status
from connorg.core.batches.accept import BatchSubmission, replay_batch, submit_batch
from connorg.core.batches.progress import progress, results
from connorg.core.callbacks import call_back
from connorg.core.domain.claims import Submitted
from connorg.core.forget import (
    Named,
    Referenced,
    SeveralPartnersError,
    UnderWay,
    forget_partner,
)
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.records import message_of, new_onboarding, read_kept
from connorg.core.onboarding.reject import record_failed, unreadable
from connorg.core.onboarding.replay import cancel, replay
from connorg.core.onboarding.resume import POISONED, bury, resume
from connorg.core.onboarding.several import cancel_several
from connorg.core.onboarding.submit import submit
from connorg.core.ports import OnboardingFilter, StorageUnavailableError
from connorg.core.summary import summarize
from tests.simulation.storage import batches_on, ledger_on
from tests.unit.core.scene import LOST, Scene
from tests.unit.partners import CONTOSO_TENANT, domain_source, request, tenant_source

ALL = OnboardingFilter()
CONTOSO, OTHER = "contoso.com", "contoso.de"
TENANTS = {CONTOSO: CONTOSO_TENANT, OTHER: CONTOSO_TENANT}
PERSONAL = ("contoso", "a partner", "req1", "ada@", CONTOSO_TENANT)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def named(domain: str = CONTOSO) -> Named:
    return Named(domain, natural_keys_of_domain(domain))


def of_tenant() -> Named:
    return Named(CONTOSO_TENANT, natural_keys_of_tenant(CONTOSO_TENANT))


async def onboarded(scene: Scene, domain: str = CONTOSO, **changes: Any) -> Onboarding:
    asked = request(
        domain_source(domain), **{"reference": "REQ1", "internalSponsors": ["ada@h.test"]} | changes
    )
    submission = Submission(asked, "http", "caller", f"{domain} {changes}")
    answer = await submit(scene.services, submission, wait=20)
    assert isinstance(answer, Submitted)
    while scene.queue.messages and not (await scene.held(answer.onboarding)).status.terminal:
        scene.clock.moment += timedelta(minutes=1)
        await scene.deliver()
    return await scene.held(answer.onboarding)


async def ran(scene: Scene, *rows: BatchRow) -> Batch:
    asked = BatchSubmission(tuple(rows), (), None, "caller", None, "body", None)
    batch = await submit_batch(scene.services, asked)
    assert isinstance(batch, Batch)
    for _ in range(20):
        await scene.deliver()
        scene.clock.moment += timedelta(minutes=2)
    return batch


def row(number: int, domain: str, **values: Any) -> BatchRow:
    asked = request(domain_source(domain), reference="REQ1")
    known = {"batch_id": "", "number": number, "name": domain, "request": asked}
    return BatchRow.model_validate({**known, **values})


async def forgotten(scene: Scene, partner: Named | Referenced | None = None) -> Forgotten:
    """Forget, after a dry run that says the same."""
    foretold = await forget_partner(scene.services, partner or named(), dry_run=True)
    assert isinstance(foretold, Forgotten)
    done = await forget_partner(scene.services, partner or named(), dry_run=False)
    assert isinstance(done, Forgotten)
    assert (foretold.dry_run, done) == (True, foretold.model_copy(update={"dry_run": False}))
    return done


def stored(scene: Scene) -> str:
    """All that the tables hold, but for their keys."""
    rows = [*scene.ledger.rows.values(), *scene.batches.rows.values()]
    return "\n".join(str(value) for row in rows for value in row.values()).lower()


def told(scene: Scene, words: Sequence[str] = PERSONAL) -> set[str]:
    return {word for word in words if word in stored(scene)}


async def note(scene: Scene, onboarding: Onboarding, **values: Any) -> CallbackRecord:
    held = await scene.services.ledger.callback(onboarding.id, "callback-1")
    return await scene.services.ledger.record_callback(held.model_copy(update=values))


# What goes, and what stays


async def test_all_that_is_held_of_a_partner_goes(scene: Scene) -> None:
    batch = await ran(scene, row(1, CONTOSO), row(2, "fabrikam.com"))
    first = await onboarded(scene, ifExists="update")
    await note(scene, first, ended="delivered")
    assert told(scene) == {*PERSONAL} - {CONTOSO_TENANT}
    done = await forgotten(scene)
    assert done.partners == (CONTOSO,)
    assert done.onboardings.count == 2
    assert done.callbacks.ids == ("callback-1",)
    assert (done.idempotency_keys.count, done.batch_rows.ids) == (1, (f"{batch.id}/1",))
    assert "contoso.com" not in stored(scene)
    assert "ada@" not in stored(scene)
    page = await scene.services.ledger.list(ALL, 100, None)
    assert [one.batch_row and one.batch_row.row for one in page.onboardings] == [2]
    assert (await summarize(scene.services, ALL)).total == 1
    assert await read_kept(scene.services.ledger, first.id) is None


async def test_a_dry_run_changes_nothing(scene: Scene) -> None:
    await ran(scene, row(1, CONTOSO))
    await onboarded(scene, ifExists="update")
    before = (dict(scene.ledger.rows), dict(scene.batches.rows))
    assert isinstance(await forget_partner(scene.services, named(), dry_run=True), Forgotten)
    assert (scene.ledger.rows, scene.batches.rows) == before


async def test_nobody_else_is_forgotten(scene: Scene) -> None:
    await onboarded(scene, "fabrikam.com")
    await ran(scene, row(1, "litware.com"))
    before = (dict(scene.ledger.rows), dict(scene.batches.rows))
    done = await forgotten(scene)
    assert (done.onboardings.count, done.idempotency_keys.count, done.batch_rows.count) == (0, 0, 0)
    assert (scene.ledger.rows, scene.batches.rows) == before


NAMES: list[Named | Referenced] = [named(), named(OTHER), of_tenant(), Referenced("REQ2")]


@pytest.mark.parametrize("partner", NAMES)
async def test_a_partner_is_forgotten_under_all_names_of_its_tenant(
    scene: Scene, partner: Named | Referenced
) -> None:
    scene.graph.tenant_of_domain |= TENANTS
    both = [await onboarded(scene), await onboarded(scene, OTHER, reference="REQ2")]
    done = await forgotten(scene, partner)
    assert {*done.onboardings.ids} == {one.id for one in both}
    assert {CONTOSO, OTHER} <= {*done.partners}
    assert not told(scene)


async def test_a_ticket_of_several_partners_is_of_none(scene: Scene) -> None:
    await onboarded(scene)
    await onboarded(scene, "fabrikam.com")
    before = dict(scene.ledger.rows)
    for dry_run in (True, False):
        with pytest.raises(SeveralPartnersError):
            await forget_partner(scene.services, Referenced("REQ1"), dry_run=dry_run)
    assert scene.ledger.rows == before


async def test_what_could_not_be_understood_goes_with_its_ticket(scene: Scene) -> None:
    lost = unreadable(scene.services, "webhook:jira", "Contoso, please", "REQ1")
    await record_failed(scene.services, lost, POISONED)
    await onboarded(scene)
    assert (await forgotten(scene, Referenced("REQ1"))).onboardings.count == 2
    assert not told(scene)


# Batches


async def test_rows_are_forgotten_and_still_counted(scene: Scene) -> None:
    fault = RowFault(row=3, pointer="/state", detail="must not be of contoso.com")
    changes = {"name": "https://www.Contoso.com/", "faults": (fault,), "status": "Invalid"}
    invalid = row(3, CONTOSO, **changes, request=None)
    batch = await ran(
        scene, row(1, CONTOSO), row(2, CONTOSO, duplicate_of=1), invalid, row(4, "fabrikam.com")
    )
    before = await progress(scene.services, batch)
    assert (await forgotten(scene)).batch_rows.count == 3
    assert not {"contoso.com"} & told(scene, ["contoso.com"])
    after = await progress(scene.services, batch)
    assert (after.counts, after.conclusions) == (before.counts, before.conclusions)
    shown = await results(scene.services.batches, batch)
    assert [one.name for one in shown] == ["", "", "", "fabrikam.com"]
    assert [one.organization_id is None for one in shown] == [True, True, True, False]
    assert shown[2].error is None
    assert (await forgotten(scene)).batch_rows.count == 0


async def test_a_row_that_was_forgotten_is_not_replayed(scene: Scene) -> None:
    denying = replace(scene.services.policy, denied=frozenset({CONTOSO}))
    services = scene.services
    scene.services = replace(services, policy=denying)
    batch = await ran(scene, row(1, CONTOSO))
    assert (await services.batches.outline(batch.id))[0].status is RowStatus.FAILED
    await forgotten(scene)
    scene.services = services
    await replay_batch(services, batch)
    await scene.deliver()
    assert (await services.batches.outline(batch.id))[0].status is RowStatus.FAILED
    assert not scene.queue.messages
    assert not scene.graph.commits


# What is under way


async def test_nothing_is_forgotten_while_an_onboarding_is_under_way(scene: Scene) -> None:
    waiting = await scene.submitted()
    before = dict(scene.ledger.rows)
    for dry_run in (True, False):
        answer = await forget_partner(scene.services, named(), dry_run=dry_run)
        assert answer == UnderWay((f"onboarding {waiting.id} (NotStarted)",))
    assert scene.ledger.rows == before
    assert await cancel(scene.services, waiting.id) is not None
    assert (await forgotten(scene)).onboardings.count == 1


async def test_nothing_is_forgotten_while_a_row_is_under_way(scene: Scene) -> None:
    asked = BatchSubmission((row(7, CONTOSO),), (), None, "caller", None, "body", None)
    batch = await submit_batch(scene.services, asked)
    assert isinstance(batch, Batch)
    answer = await forget_partner(scene.services, named(), dry_run=False)
    assert answer == UnderWay((f"row 7 of {batch.id} (NotStarted)",))


@pytest.mark.parametrize(
    ("ended", "hours", "is_under_way"),
    [(None, 1, True), (None, -23, True), (None, -25, False), ("delivered", 1, False)],
)
async def test_nothing_is_forgotten_while_somebody_is_still_to_be_told(
    scene: Scene, ended: str | None, hours: int, *, is_under_way: bool
) -> None:
    held = await onboarded(scene)
    await note(scene, held, ended=ended, due=scene.clock.moment + timedelta(hours=hours))
    answer = await forget_partner(scene.services, named(), dry_run=False)
    assert isinstance(answer, UnderWay) is is_under_way
    if isinstance(answer, UnderWay):
        assert answer.things == (f"callback-1 of onboarding {held.id}",)


async def test_what_is_replayed_meanwhile_is_not_forgotten(scene: Scene) -> None:
    lost = await record_failed(
        scene.services, new_onboarding(scene.services, request(), "http"), POISONED
    )
    scene.meanwhile("update onboarding", lambda: replay(scene.services, lost.id))
    answer = await forget_partner(scene.services, named(), dry_run=False)
    assert isinstance(answer, UnderWay)
    assert (await scene.held(lost)).request is not None


# Messages that are still on a queue


async def test_a_late_message_brings_nothing_back(scene: Scene) -> None:
    held = await onboarded(scene)
    await forgotten(scene)
    before = dict(scene.ledger.rows)
    await resume(scene.services, message_of(held))
    assert await bury(scene.services, message_of(held)) == await scene.held(held)
    late = CallbackMessage(
        onboarding_id=held.id,
        callback_url="https://h.test/x",
        asked_date_time=scene.clock.moment,
    )
    await call_back(scene.services, late)
    assert not scene.callbacks.messages
    assert scene.ledger.rows == before


async def test_operators_do_not_find_it_by_its_id(scene: Scene) -> None:
    held = await onboarded(scene)
    await forgotten(scene)
    assert await replay(scene.services, held.id) is None
    assert await cancel(scene.services, held.id) is None
    several = await cancel_several(scene.services, (held.id,), 500, dry_run=False)
    assert [one.onboarding for one in several.each] == [None]


# A crash, and once more


@pytest.mark.parametrize("partner", NAMES)
async def test_a_call_that_dies_anywhere_is_finished_by_the_next(
    scene: Scene, partner: Named | Referenced
) -> None:
    scene.graph.tenant_of_domain |= TENANTS
    await onboarded(scene, reference="REQ2")
    held = await onboarded(scene, OTHER)
    await onboarded(scene, OTHER, ifExists="update", internalSponsors=["bob@h.test"])
    await ran(scene, row(1, OTHER))
    await note(scene, held, ended="delivered")
    died = 0
    while not await _is_through(scene, partner, writes=died):
        died += 1
    assert died > 2
    assert not told(scene)


async def _is_through(scene: Scene, partner: Named | Referenced, writes: int) -> bool:
    """Forget in a process that lives for so many writes; return whether that was enough."""
    left = writes

    async def travel(what: str, act: Callable[[], Any], /) -> Any:
        nonlocal left
        left -= what.startswith(("update", "transaction"))
        if left < 0:
            raise ServiceRequestError("simulated")
        return act()

    services = replace(
        scene.services,
        ledger=ledger_on(scene.ledger, travel),
        batches=batches_on(scene.batches, travel),
    )
    try:
        await forget_partner(services, partner, dry_run=False)
    except StorageUnavailableError:
        return False
    return True


# Exactly once


@pytest.mark.parametrize(
    ("again", "tenants"),
    [(CONTOSO, {}), (CONTOSO, TENANTS), (OTHER, TENANTS)],
    ids=["without a tenant", "by the same name", "by another name of its tenant"],
)
async def test_who_is_requested_again_is_given_what_graph_has(
    scene: Scene, again: str, tenants: dict[str, str]
) -> None:
    scene.graph.tenant_of_domain |= tenants
    first = await onboarded(scene)
    await forgotten(scene)
    scene.clock.moment += timedelta(hours=1)
    scene.calls.clear()
    second = await onboarded(scene, again)
    assert second.id != first.id
    assert (second.status, second.conclusion) == (Status.SUCCEEDED, Conclusion.EXISTING)
    assert second.result is not None
    assert first.result is not None
    assert second.result.id == first.result.id
    assert sum(scene.graph.commits.values()) == 1
    assert "Graph's create" not in scene.calls, "it is found before anything is created"


async def test_a_doubt_outlives_the_memory_of_it(scene: Scene) -> None:
    scene.setback_of_create = LOST
    held = await scene.submitted(wait=20)
    assert held.doubt_until is not None
    await cancel(scene.services, held.id)
    await forgotten(scene)
    assert (await scene.held(held)).doubt_until == held.doubt_until


async def test_a_tenant_that_was_requested_by_its_id_is_found_by_it(scene: Scene) -> None:
    answer = await submit(scene.services, Submission(request(tenant_source()), "http"), wait=20)
    assert isinstance(answer, Submitted)
    assert (await forgotten(scene, of_tenant())).onboardings.ids == (answer.onboarding.id,)
