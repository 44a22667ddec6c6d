"""The trace of an onboarding, span by span, and the log that belongs to it."""

from itertools import groupby
from typing import NamedTuple

from connorg.telemetry import names
from tests.collector import Collector, Span
from tests.end_to_end.client import Connorg, Partner
from tests.end_to_end.exported import ended_trace, told
from tests.receivers import receiving

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
    await observed.graph.configure(pageSize=1)
    await observed.graph.fail_creates(partner, "status", status=503, times=1)
    async with receiving() as receiver:
        body = partner.body(callbackUrl=receiver.address("traced"))
        onboarding_id = await observed.accepted(body, traceparent=CALLER)
        onboarding = await observed.ended(onboarding_id)
        assert onboarding["conclusion"] == "created"
        spans = await ended_trace(collector, onboarding_id, "callback")
    await observed.graph.configure(pageSize=100)
    told = outline(spans, "attempt", "outcome", "code", names.HTTP_STATUS)
    # Filters that Graph refuses; the pages of a list have one name.
    refused = _graph(f"GET {COLLECTION}", 400)
    assert [one for one, _ in groupby(one for one in told if one != refused)] == [
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
        Told("resume", "CONSUMER", "onboard"),
        Told("attempt", "INTERNAL", "resume", "UNSET", _with(attempt=2, outcome="created")),
        _graph(TENANT, 404),
        # In doubt whether the first create was carried out: by source, by name, and among all.
        _graph(f"GET {COLLECTION}", 200),
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
    assert [span.name for span in spans][:4] == ["onboard", "arm", "open", "resume"]
    [link] = spans[3].links
    assert link not in {span.trace for span in spans}


async def test_a_producer_s_message_begins_a_trace(observed: Connorg, collector: Collector) -> None:
    partner = Partner()
    await observed.put(partner.body(reference=partner.domain))
    listed = await observed.only_one_listed(reference=partner.domain)
    spans = await ended_trace(collector, listed["id"], "conclude")
    assert outline(spans)[:4] == [
        Told("onboard", "INTERNAL", "the host"),
        Told("resume", "CONSUMER", "onboard"),
        Told("open", "INTERNAL", "resume"),
        Told("attempt", "INTERNAL", "resume"),
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
    [first, *_] = await ended_trace(collector, onboarding_id, "conclude")  # told apart from lines
    assert text == f"{first.trace} onboarding {onboarding_id} is Succeeded in attempt 1"


async def test_the_process_is_named(observed: Connorg, collector: Collector) -> None:
    await observed.submit(Partner().body())
    await told(lambda: collector.resources, "nothing is exported")
    assert {resource["service.name"] for resource in collector.resources} == {"connorg"}
    assert len({resource["service.instance.id"] for resource in collector.resources}) == 1
