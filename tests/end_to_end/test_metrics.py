"""The metrics, each by what it counts."""

import pytest

from connorg.contract.storage_names import POISON_QUEUE
from connorg.telemetry import names
from tests.collector import Collector, Point
from tests.end_to_end.client import Connorg, Partner, failing_create
from tests.end_to_end.exported import told


async def metrics_are_fresh(collector: Collector) -> None:
    """Wait until all that was counted so far was exported: by an export that began after now."""
    exported = collector.metric_exports
    await told(lambda: collector.metric_exports > exported + 1, "no metrics are exported")


async def counted(collector: Collector, name: str, at_least: float, **attributes: object) -> None:
    def enough() -> bool:
        return collector.total(name, **attributes) >= at_least

    await told(enough, f"{name} {attributes} does not come to {at_least}")
    assert collector.total(name, **attributes) == at_least


async def test_onboardings_are_counted(observed: Connorg, collector: Collector) -> None:
    await metrics_are_fresh(collector)
    accepted = collector.total(names.ACCEPTED)
    created = collector.total(names.CONCLUDED, status="Succeeded", conclusion="created")
    failed = collector.total(names.CONCLUDED, status="Failed")
    attempts = collector.total(names.ATTEMPTS, outcome="created")
    refused = Partner()
    await observed.graph.fail_creates(refused, "status", status=400, times=1)
    body = Partner().body()
    for _ in range(3):  # the second and third are answered with what the first made
        assert (await observed.submit(body)).is_success
    await observed.submit(refused.body())
    await counted(collector, names.ACCEPTED, accepted + 2)
    await counted(collector, names.CONCLUDED, created + 1, status="Succeeded", conclusion="created")
    await counted(collector, names.CONCLUDED, failed + 1, status="Failed")
    await counted(collector, names.ATTEMPTS, attempts + 1, outcome="created")


async def test_calls_to_graph_are_measured(observed: Connorg, collector: Collector) -> None:
    def measured(status_class: str) -> Point | None:
        wanted = {names.METHOD: "POST", names.STATUS_CLASS: status_class}
        points = [p for p in collector.points if p.name == names.GRAPH_DURATION]
        return next((p for p in reversed(points) if p.attributes == wanted), None)

    await metrics_are_fresh(collector)
    before = measured("2xx")
    partner = Partner()
    await observed.graph.fail_creates(partner, "status", status=503, times=1)
    await observed.submit(partner.body())
    await observed.submit(Partner().body())

    def more() -> Point | None:
        after = measured("2xx")
        return after if after and after.count > (before.count if before else 0) else None

    point = await told(more, "the create is not measured")
    assert point.unit == "s"
    assert point.bounds[0] < 1 < point.bounds[-1], "as seconds are, not milliseconds"
    assert measured("5xx") is not None


async def test_throttling_and_a_missing_right_are_counted(
    observed: Connorg, collector: Collector
) -> None:
    await metrics_are_fresh(collector)
    throttled = collector.total(names.GRAPH_THROTTLED)
    blocked = collector.total(names.GRAPH_BLOCKED, code="PermissionMissing")
    first, second = Partner(), Partner()
    create = failing_create(first, "throttle", retryAfter=1, times=1)
    await observed.graph.fail(create)
    await observed.ended(await observed.accepted(first.body()))
    await counted(collector, names.GRAPH_THROTTLED, throttled + 1)
    await observed.graph.fail_creates(second, "status", status=403, code="Forbidden", times=1)
    await observed.ended(await observed.accepted(second.body()))
    await counted(collector, names.GRAPH_BLOCKED, blocked + 1, code="PermissionMissing")


async def test_poisoned_messages_are_counted(observed: Connorg, collector: Collector) -> None:
    await metrics_are_fresh(collector)
    before = collector.total(names.POISONED, queue="onboarding")
    await observed.put("not JSON", POISON_QUEUE)
    await counted(collector, names.POISONED, before + 1, queue="onboarding")


@pytest.mark.slow  # up to a minute
async def test_what_waits_is_told_each_minute_and_how_long_it_has(
    observed: Connorg, collector: Collector
) -> None:
    partner = Partner()
    await observed.emptied()
    seen = len(collector.points)
    create = failing_create(partner, "status", status=423, retryAfter=3600)
    await observed.graph.fail(create)
    onboarding_id = await observed.accepted(partner.body())
    await told(
        lambda: [p for p in collector.points[seen:] if p.name == names.WAITING and p.value == 1],
        "the message is not seen by the timer",
    )
    [oldest, *_] = await told(
        lambda: [p for p in collector.points[seen:] if p.name == names.OLDEST_WAITING and p.value],
        "nobody says how long it has waited",
    )
    assert oldest.unit == "s"
    assert 0 < oldest.value < 3600
    canceled = collector.total(names.CONCLUDED, status="Canceled")
    await observed.call("DELETE", f"onboardings/{onboarding_id}")
    await counted(collector, names.CONCLUDED, canceled + 1, status="Canceled")
