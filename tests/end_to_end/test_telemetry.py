"""Telemetry as a collector gets it: the trace of an onboarding, the metrics, the log."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import pytest

from connorg import telemetry_names as names
from connorg.storage.names import POISON_QUEUE
from tests import receivers, senders
from tests.collector import Collector, Point, Span, collecting
from tests.end_to_end.client import Connorg, Partner, eventually, failing_create
from tests.receivers import receiving
from tests.stack import Stack

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-00"  # a caller that does not record its own trace

TENANT = "GET /tenantRelationships/findTenantInformationByDomainName(domainName='{domainName}')"
COLLECTION = "/identityGovernance/entitlementManagement/connectedOrganizations"


class Told(NamedTuple):
    """What is asserted of a span; `parent` is the name of the one that it stands under."""

    name: str
    kind: str
    parent: str
    status: str = "UNSET"
    attributes: frozenset[tuple[str, object]] = frozenset()


@pytest.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
async def observed(collector: Collector) -> AsyncIterator[Connorg]:
    """A stack of its own that exports what it tells."""
    settings = {
        **senders.SETTINGS,
        **receivers.SETTINGS,
        **collector.settings,
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        "CONNORG_SETTLE_SECONDS": "0",  # what a search does not find is believed at once
        "CONNORG_BLOCKED_RETRY_SECONDS": "1",
    }
    stack = await asyncio.to_thread(Stack(settings=settings).start)
    async with Connorg(stack) as connorg:
        yield connorg
        assert connorg.logged_secrets() == []
    await asyncio.to_thread(stack.stop)


async def told[T](probe: Callable[[], T | None], otherwise: str) -> T:
    async def ask() -> T | None:
        return probe()

    return await eventually(ask, otherwise)


async def ended_trace(collector: Collector, onboarding_id: str, last: str) -> list[Span]:
    """Wait until a span that comes last was told, and all spans that others stand under."""

    def whole() -> list[Span] | None:
        spans = collector.trace_of(onboarding_id)
        is_whole = {s.parent for s in spans[1:]} <= {s.id for s in spans}
        return spans if is_whole and last in {s.name for s in spans} else None

    return await told(whole, f"the trace of {onboarding_id} does not end with {last}")


def outline(spans: list[Span], *attributes: str) -> list[Told]:
    by_id = {span.id: span.name for span in spans}
    return [
        Told(
            span.name,
            span.kind,
            by_id.get(span.parent, "the host"),
            span.status,
            frozenset((n, v) for n, v in span.attributes.items() if n in attributes),
        )
        for span in spans
    ]


def _with(**attributes: object) -> frozenset[tuple[str, object]]:
    return frozenset(attributes.items())


def _graph(name: str, status: int) -> Told:
    """A call to Graph within an attempt."""
    is_fault = "ERROR" if status >= 400 else "UNSET"
    return Told(name, "CLIENT", "attempt", is_fault, frozenset({(names.HTTP_STATUS, status)}))


async def test_an_onboarding_with_a_retry_is_one_trace(
    observed: Connorg, collector: Collector
) -> None:
    """From the caller through the queue to Graph, and back to whom it calls."""
    partner = Partner()
    await observed.graph.fail_creates(partner, "status", status=503, times=1)
    async with receiving() as receiver:
        body = partner.body(callbackUrl=receiver.address("traced"))
        onboarding_id = await observed.accepted(body, traceparent=CALLER)
        onboarding = await observed.ended(onboarding_id)
        assert onboarding["conclusion"] == "created"
        spans = await ended_trace(collector, onboarding_id, "callback")
    assert outline(spans, "attempt", "outcome", "code", names.HTTP_STATUS) == [
        Told("onboard", "INTERNAL", "the host"),
        Told("arm", "PRODUCER", "onboard"),
        Told("open", "INTERNAL", "onboard"),
        Told(
            "attempt",
            "INTERNAL",
            "onboard",
            "ERROR",
            _with(attempt=1, outcome="waiting", code="GraphUnavailable"),
        ),
        _graph(TENANT, 404),
        _graph(f"POST {COLLECTION}", 503),
        Told("conclude", "INTERNAL", "attempt"),
        Told("retry", "CONSUMER", "onboard"),
        Told("attempt", "INTERNAL", "retry", "UNSET", _with(attempt=2, outcome="created")),
        _graph(TENANT, 404),
        _graph(f"GET {COLLECTION}", 200),  # in doubt whether the first create was carried out
        _graph(TENANT, 404),
        _graph(f"POST {COLLECTION}", 201),
        Told("conclude", "INTERNAL", "attempt"),
        Told("callback", "CLIENT", "onboard", "UNSET", frozenset({(names.HTTP_STATUS, 204)})),
    ]
    assert {span.trace for span in spans} == {TRACE}
    assert {span.scope for span in spans} == {names.SCOPE}
    assert {span.attributes[names.ONBOARDING_ID] for span in spans} == {onboarding_id}
    assert all(span.attributes[names.REQUEST_ID] for span in spans if span.name.startswith("POST"))


async def test_what_the_queue_carries_on_is_linked_to_the_host_s_own_trace(
    observed: Connorg, collector: Collector
) -> None:
    partner = Partner()
    answer = await observed.submit(partner.body(), prefer="respond-async")
    onboarding_id = answer.json()["id"]
    spans = await ended_trace(collector, onboarding_id, "conclude")
    assert [span.name for span in spans][:4] == ["onboard", "arm", "open", "retry"]
    [link] = spans[3].links
    assert link not in {span.trace for span in spans}


async def test_a_producer_s_message_begins_a_trace(observed: Connorg, collector: Collector) -> None:
    partner = Partner()
    await observed.put(partner.body(reference=partner.domain))
    listed = await observed.only_one_listed(reference=partner.domain)
    spans = await ended_trace(collector, listed["id"], "conclude")
    assert outline(spans)[:4] == [
        Told("onboard", "INTERNAL", "the host"),
        Told("retry", "CONSUMER", "onboard"),
        Told("open", "INTERNAL", "retry"),
        Told("attempt", "INTERNAL", "retry"),
    ]


async def test_each_line_of_an_onboarding_s_log_carries_its_id_and_trace(
    observed: Connorg, collector: Collector
) -> None:
    onboarding_id = (await observed.submit(Partner().body())).json()["id"]

    def line() -> str | None:
        about = [
            line
            for line in collector.lines
            if line.attributes.get(names.ONBOARDING_ID) == onboarding_id
        ]
        return next((f"{found.trace} {found.body}" for found in about), None)

    text = await told(line, "nothing is logged")
    trace = collector.trace_of(onboarding_id)[0].trace
    assert text == f"{trace} onboarding {onboarding_id} is Succeeded in attempt 1"


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
    oldest = collector.latest(names.OLDEST_WAITING)
    assert oldest is not None
    assert oldest.unit == "s"
    assert 0 < oldest.value < 3600
    await observed.call("DELETE", f"onboardings/{onboarding_id}")
    await counted(collector, names.CONCLUDED, 1, status="Canceled")


async def test_the_process_is_named(observed: Connorg, collector: Collector) -> None:
    await observed.submit(Partner().body())
    await told(lambda: collector.resources, "nothing is exported")
    assert {resource["service.name"] for resource in collector.resources} == {"connorg"}
    assert len({resource["service.instance.id"] for resource in collector.resources}) == 1


async def test_nothing_exported_says_whom_it_is_about_or_holds_a_secret(
    observed: Connorg, collector: Collector
) -> None:
    """Also where Graph fails, a webhook is refused, a message can't be read, a lookup filters."""
    partner, unread = Partner(), Partner()
    name = f"Display Name {partner.domain}"
    async with receiving() as receiver:
        address = receiver.address("private")
        await observed.graph.fail_creates(partner, "html", status=502, times=1)
        sponsor = f"sponsor@{partner.domain}"
        body = partner.body(displayName=name, callbackUrl=address, internalSponsors=[sponsor])
        onboarding_id = await observed.accepted(body)
        await observed.ended(onboarding_id)
        await observed.put(unread.body(state="approved"))
        await observed.call("GET", f"connected-organizations?domainName={partner.domain}")
        await observed.call("POST", "webhooks/unknown", content=b"{}", key=False)
        spans = await ended_trace(collector, onboarding_id, "callback")
    assert "attempt" in {span.name for span in spans}
    await told(
        lambda: [line for line in collector.lines if "could not be understood" in line.body],
        "the unreadable message is not logged",
    )
    assert observed.secrets_in(collector.text) == []
    private = {".example", "Display Name", "/runs/", "sig=", "sponsor@", "Partner "}
    assert [word for word in private if word in collector.text] == []
    addresses = set(re.findall(r'https?://[^"]+', collector.text))
    assert addresses == {
        f"{observed.stack.graph}/v1.0{span.name.partition(' ')[2]}"
        for span in collector.spans
        if names.HTTP_METHOD in span.attributes
    }, "addresses are told, other than the templates of calls to Graph"
