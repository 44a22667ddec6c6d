"""What is counted of onboardings, wherever they come from and however they end."""

import re
from datetime import timedelta

import pytest

from connorg.contract.batches import BatchRow
from connorg.contract.onboarding import OnboardingError, Status
from connorg.core.batches.accept import BatchSubmission, submit_batch
from connorg.core.domain.outcomes import Blocked, Later
from connorg.core.onboarding.producers import record_unreadable
from connorg.core.onboarding.records import message_of, new_onboarding
from connorg.core.onboarding.replay import cancel, replay
from connorg.core.onboarding.resume import bury
from connorg.telemetry import hooks, names
from infra.local.child import ROOT
from tests.metrics import Metrics
from tests.unit.core.scene import BUSY, Scene
from tests.unit.partners import request

ACCEPTED = {(names.ACCEPTED,): 1}
CREATED = {(names.ATTEMPTS, "created"): 1, (names.CONCLUDED, "Succeeded", "created"): 1}
FAILED = {(names.CONCLUDED, "Failed"): 1}
ERROR = OnboardingError(code="LicenseMissing", message="simulated")


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_a_request_is_counted_once_and_one_that_joins_it_is_not(
    scene: Scene, metrics: Metrics
) -> None:
    for _ in range(2):
        await scene.submitted(wait=20)
    assert metrics.counted() == ACCEPTED | CREATED


async def test_a_request_that_its_message_opens_is_counted(scene: Scene, metrics: Metrics) -> None:
    newcomer = new_onboarding(scene.services, request(), "http")
    await scene.services.queue.put(message_of(newcomer), 0)
    await scene.deliver()
    assert metrics.counted() == ACCEPTED | CREATED


async def test_a_refusal_is_counted_and_its_replay(scene: Scene) -> None:
    scene.graph.refused.add("domain:contoso.com")
    metrics = Metrics()
    failed = await scene.submitted(wait=20)
    assert metrics.counted() == ACCEPTED | FAILED | {(names.ATTEMPTS, "failed"): 1}
    scene.graph.refused.clear()
    metrics = Metrics()
    await replay(scene.services, failed.id)
    assert metrics.counted() == ACCEPTED
    await scene.deliver()
    assert metrics.counted() == ACCEPTED | CREATED


@pytest.mark.parametrize("end", ["given up", "buried", "canceled"])
async def test_what_ends_without_an_attempt_is_counted(scene: Scene, end: str) -> None:
    held = await scene.submitted()
    metrics = Metrics()
    if end == "given up":
        scene.clock.moment = held.give_up_date_time + timedelta(seconds=1)
        await scene.deliver()
    elif end == "buried":
        await bury(scene.services, message_of(held))
    else:
        await cancel(scene.services, held.id)
    status = Status.CANCELED if end == "canceled" else Status.FAILED
    assert metrics.counted() == {(names.CONCLUDED, status.value): 1}


async def test_what_cannot_be_read_is_counted(scene: Scene, metrics: Metrics) -> None:
    await record_unreadable(scene.services, "text", ERROR)
    assert metrics.counted() == ACCEPTED | FAILED


async def test_a_row_of_a_batch_is_counted(scene: Scene, metrics: Metrics) -> None:
    row = BatchRow(batch_id="", number=1, name="contoso.com", request=request())
    await submit_batch(scene.services, BatchSubmission((row,), (), None, "", None, "body", None))
    for _ in range(2):
        await scene.deliver()
    assert metrics.counted() == ACCEPTED | CREATED


@pytest.mark.parametrize(
    ("setback", "told"),
    [
        (BUSY, {}),
        (Later(ERROR, throttled=True), {(names.GRAPH_THROTTLED,): 1}),
        (Blocked(ERROR), {(names.GRAPH_BLOCKED, ERROR.code): 1}),
    ],
)
async def test_what_graph_complains_of_is_counted(
    scene: Scene, metrics: Metrics, setback: Later | Blocked, told: dict[tuple[str, ...], float]
) -> None:
    scene.setback = setback
    await scene.submitted(wait=20)
    assert metrics.counted() == ACCEPTED | told | {(names.ATTEMPTS, "waiting"): 1}


def test_each_hook_is_called_by_something() -> None:
    public = {
        name
        for name, value in vars(hooks).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == hooks.__name__
    } | {"resume", "bury", "arm", "opening", "concluding"}
    sources = [path.read_text() for path in (ROOT / "connorg").rglob("*.py")]
    called = {
        name for text in sources for name in re.findall(r"\b(?:telemetry|hooks)\.(\w+)", text)
    }
    assert len(public) > 15
    assert public - called == set()
