"""What an onboarding remembers of what was tried."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connorg.contract.history import MOST_STEPS, Step
from connorg.contract.onboarding import Conclusion, Onboarding, OnboardingError
from connorg.contract.sponsors import SponsorKind, Sponsorship
from connorg.core.domain import lifecycle
from connorg.core.domain.claims import Submitted
from connorg.core.domain.history import remember, step
from connorg.core.domain.outcomes import Connected, Later, SponsorSettled
from connorg.core.onboarding.idempotency import Submission
from connorg.core.onboarding.records import message_of, new_onboarding
from connorg.core.onboarding.replay import cancel, replay
from connorg.core.onboarding.resume import resume
from connorg.core.onboarding.submit import submit
from connorg.storage.entities import history_of, onboarding_entity
from tests.simulation.graph import Graph
from tests.unit.core.services_under_test import Clock, simulated_core
from tests.unit.core.test_lifecycle import ERROR, NOW, ORGANIZATION, TIMING, conclude, onboarding
from tests.unit.partners import CONTOSO_TENANT, request

_ADA, _BOB = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
_LARGEST_COLUMN = 32 * 1024  # UTF-16 units: 64 KiB


def told(held: Onboarding) -> list[tuple[str, str]]:
    return [(entry.step, entry.outcome) for entry in held.history]


def test_a_journey_is_told_step_by_step() -> None:
    throttled = OnboardingError(
        code="GraphThrottled", message="Slow down.", graph_status=429, graph_request_id="r-1"
    )
    waiting = conclude(Later(throttled, retry_after=10, throttled=True))
    doubted = conclude(Later(ERROR, ambiguous=True), lifecycle.begin(waiting, NOW, TIMING))
    again = lifecycle.begin(doubted, NOW, TIMING)
    found = remember(again, step(NOW, Step.LOOKED_UP, f"organization {ORGANIZATION.id}"))
    sponsors = tuple(Sponsorship(kind=SponsorKind.INTERNAL, sponsor=name) for name in (_ADA, _BOB))
    connected = conclude(Connected(Conclusion.CREATED, ORGANIZATION, (), sponsors), found)
    one = conclude(SponsorSettled(), connected)
    done = conclude(SponsorSettled(ERROR.model_copy(update={"graph_status": 404})), one)
    until = waiting.next_attempt_date_time
    assert until is not None
    assert [(what, outcome.split(" 20")[0]) for what, outcome in told(done)] == [
        ("attempt", "attempt 1"),
        ("waiting", "until"),
        ("attempt", "attempt 2"),
        ("waiting", "until"),
        ("attempt", "attempt 3"),
        ("lookedUp", f"organization {ORGANIZATION.id}"),
        ("created", f"organization {ORGANIZATION.id}"),
        ("sponsor", "added"),
        ("sponsor", "not added"),
        ("succeeded", "done"),
    ]
    wait, doubt, refused = done.history[1], done.history[3], done.history[8]
    assert wait.outcome == f"until {until:%Y-%m-%dT%H:%M:%SZ}"
    assert (wait.code, wait.graph_status, wait.graph_request_id) == ("GraphThrottled", 429, "r-1")
    assert doubt.outcome.endswith("Graph may have carried the call out")
    assert (refused.code, refused.graph_status) == (ERROR.code, 404)


def test_an_attempt_that_died_is_told_by_the_next() -> None:
    begun = lifecycle.begin(onboarding(), NOW, TIMING)
    again = lifecycle.begin(begun, NOW + timedelta(hours=1), TIMING)
    assert told(again)[-1] == ("attempt", "attempt 2; the one before did not end")


def test_the_last_steps_are_kept() -> None:
    held = onboarding()
    for number in range(MOST_STEPS + 5):
        held = remember(held, step(NOW, Step.ATTEMPT, str(number)))
    assert [entry.outcome for entry in held.history] == [str(n) for n in range(5, MOST_STEPS + 5)]


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_words_of_graphs_make_a_history_too_long_for_its_column(text: str, by: str) -> None:
    long = text * 1000
    error = OnboardingError(code=long, message=long, graph_request_id=long, graph_status=2**31)
    entry = step(NOW, Step.FAILED, long, error, by=by * 1000)
    column = onboarding_entity(remember(onboarding(), *[entry] * MOST_STEPS))["History"]
    assert len(column.encode("utf-16-le")) < _LARGEST_COLUMN


@pytest.fixture
def graph() -> Graph:
    graph = Graph(Clock().now, lambda: 0.0)
    graph.refused.add("domain:contoso.com")
    return graph


async def test_who_asked_is_told_with_what_was_asked(graph: Graph) -> None:
    services = simulated_core(graph=graph)
    answer = await submit(services, Submission(request(), "http", by=_ADA), wait=20)
    assert isinstance(answer, Submitted)
    held = answer.onboarding
    await replay(services, held.id, _BOB)
    await cancel(services, held.id, "key")
    kept = await services.ledger.read(held.id)
    assert kept is not None
    assert [(entry.step, entry.by) for entry in kept.history if entry.by] == [
        ("accepted", _ADA),
        ("replayed", _BOB),
        ("canceled", "key"),
    ]
    graph.refused.clear()


async def test_who_asked_is_told_too_where_the_message_comes_first(graph: Graph) -> None:
    clock = Clock()
    services = simulated_core(clock, graph)
    asked = message_of(new_onboarding(services, request(), "http"), by=_ADA)
    await resume(services, asked)
    clock.moment += timedelta(seconds=1)  # to the next turn
    await resume(services, asked.model_copy(update={"replay": "f" * 20, "by": _BOB}))
    kept = await services.ledger.read(asked.onboarding_id)
    assert kept is not None
    assert [entry.by for entry in kept.history if entry.by] == [_ADA, _BOB]


async def test_what_was_looked_up_is_told() -> None:
    clock = Clock()
    graph = Graph(clock.now, lambda: 0.0)
    graph.tenant_of_domain["contoso.com"] = CONTOSO_TENANT
    answer = await submit(simulated_core(clock, graph), Submission(request(), "http"), wait=20)
    assert isinstance(answer, Submitted)
    assert ("lookedUp", f"tenant {CONTOSO_TENANT}") in told(answer.onboarding)


async def test_the_history_is_shown_at_its_own_address_alone() -> None:
    services = simulated_core()
    answer = await submit(services, Submission(request(), "queue"), wait=20)
    assert isinstance(answer, Submitted)
    assert "history" not in answer.onboarding.view()
    assert "history" not in answer.onboarding.model_dump_json()
    accepted, *_, succeeded = answer.onboarding.view_with_history()["history"]
    assert (accepted["step"], accepted["by"]) == ("accepted", "queue")
    assert succeeded == {"dateTime": "2026-11-02T09:30:00Z", "step": "succeeded", "outcome": "done"}


def test_what_an_earlier_or_a_newer_version_wrote_is_read_as_far_as_it_can_be_read() -> None:
    row = onboarding_entity(onboarding())
    del row["History"]
    assert history_of(row) == ()
    assert history_of({"History": "[{}]"}) == ()
    newer = {"dateTime": "2030-01-01T00:00:00Z", "step": "pondered", "outcome": "a", "more": 1}
    [entry] = history_of({"History": json.dumps([newer])})
    assert entry.step == "pondered"
