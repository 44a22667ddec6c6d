"""From what ticketing systems and their administrators really send to a request."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connorg.contract.requests import OnboardingRequest
from connorg.intake.mapping import PassedOver, Refused, Wanted, read
from connorg.intake.profiles import PROFILES
from connorg.intake.proof import Delivery
from connorg.intake.sources import Source
from tests.senders import DOCUMENTED, Ticket

PAYLOADS = Path(__file__).parents[1] / "payloads"
TENANT = "2f9c4e6a-77d6-4d08-9a4c-0e4d8c1b2a03"
KEY = {"scheme": "header-key", "header": "X-Key"}


def sample(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def source(declared: str = "servicenow", **changes: Any) -> Source:
    """A documented source, with changes."""
    return Source.model_validate({**DOCUMENTED[declared], **changes})


def of_typed(**changes: Any) -> Source:
    """A source whose event is the request's fields, by their own names."""
    request = {"displayName": "name", "identitySources": "sources", "reference": "number"}
    declared = {"proof": KEY, "secrets": ["KEY"], "request": {**request, **changes.pop("map", {})}}
    defaults = {"description": "A partner", "state": "configured"}
    return Source.model_validate({**declared, "defaults": defaults, **changes})


def wanted(source: Source, event: Any, **headers: str) -> OnboardingRequest:
    reading = read(source, delivery(event, **headers))
    assert isinstance(reading, Wanted), reading
    return reading.request


def refused(source: Source, event: Any, **headers: str) -> Refused:
    reading = read(source, delivery(event, **headers))
    assert isinstance(reading, Refused), reading
    return reading


def faults(source: Source, event: Any) -> dict[str, str]:
    return {fault.pointer: fault.detail for fault in refused(source, event).faults or ()}


def delivery(event: Any, **headers: str) -> Delivery:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    return Delivery({name.replace("_", "-"): value for name, value in headers.items()}, body)


# Jira


def approved(issue: Any, status: str = "Approved") -> Any:
    """A real event, as Jira sends it when the issue's status changes."""
    change = {"field": "status", "fieldtype": "jira", "fromString": "To Do", "toString": status}
    changelog = {"id": "10034", "items": [{"field": "Rank", "toString": "Ranked"}, change]}
    return {**issue, "webhookEvent": "jira:issue_updated", "changelog": changelog}


def test_a_real_jira_event_of_another_kind_asks_for_nothing() -> None:
    created = sample("jira-3")
    assert created["webhookEvent"] == "jira:issue_created"
    assert read(source("jira"), delivery(created)) == PassedOver()
    assert read(source("jira"), delivery(approved(created, "Done"))) == PassedOver()


def test_a_real_jira_issue_is_onboarded_once_it_is_approved() -> None:
    event = approved(sample("jira-3"))
    event["issue"]["fields"]["customfield_10070"] = "Contoso.com "
    request = wanted(source("jira"), event)
    assert request.display_name == "This is test files"
    assert request.natural_key == "domain:contoso.com"
    assert (request.reference, request.state.value) == ("KAN-3", "configured")


def test_a_jira_field_that_is_empty_is_missing_and_a_wrong_one_is_told() -> None:
    event = approved(sample("jira-3"))
    assert "customfield_10034" in event["issue"]["fields"]
    empty = {"identitySources": [{"domainName": "issue.fields.customfield_10034"}]}
    assert faults(source("jira", request=empty), event) == {"/identitySources": "Is required."}
    assert [*faults(source("jira"), event)] == ["/identitySources/0/domainName"]  # "Testing"
    assert refused(source("jira"), event).reference == "KAN-3"


def test_a_jira_select_field_is_taken_by_its_value() -> None:
    event = approved(sample("jira-3"))
    event["issue"]["fields"]["customfield_10071"]["value"] = "contoso.com"
    chosen = {"identitySources": [{"domainName": "issue.fields.customfield_10071.value"}]}
    assert wanted(source("jira", request=chosen), event).natural_key == "domain:contoso.com"
    whole = {"identitySources": [{"domainName": "issue.fields.customfield_10071"}]}
    assert faults(source("jira", request=whole), event) == {
        "/identitySources/0/domainName": "Must be a string."
    }


def test_a_status_of_another_language_needs_only_another_condition() -> None:
    event = approved(sample("jira-3"), "Genehmigt")
    event["issue"]["fields"]["customfield_10070"] = "contoso.com"
    condition = "changelog.items[?field == 'status' && toString == 'Genehmigt']"
    assert wanted(source("jira", counts=condition), event).reference == "KAN-3"


def test_a_real_body_of_jira_automation_is_mapped_by_its_fields() -> None:
    """It has no envelope, and its ids are numbers."""
    event = sample("jira-automation-1")
    event["fields"] |= {"customfield_10030": "contoso.com", "summary": "Contoso"}
    mapped = {"identitySources": [{"domainName": "fields.customfield_10030"}], "reference": "id"}
    request = wanted(source("jira-automation", request=mapped), event)
    assert (request.display_name, request.reference) == ("Contoso", "11111")
    assert refused(source("jira-automation"), sample("jira-automation-1")).reference == "SP-53"


# Zendesk, ServiceNow, Freshdesk, Standard Webhooks


def test_a_real_zendesk_event_of_another_kind_asks_for_nothing() -> None:
    created = sample("zendesk-1")["body"]
    assert read(source("zendesk-event"), delivery(created)) == PassedOver()


def test_a_real_zendesk_event_is_onboarded_once_it_is_solved() -> None:
    event = sample("zendesk-1")["body"]
    event |= {"type": "zen:event-type:ticket.status_changed"}
    event["event"] = {"current": "SOLVED", "previous": "OPEN"}
    event["detail"] |= {"subject": "Contoso", "external_id": "contoso.com"}
    request = wanted(source("zendesk-event"), event)
    assert (request.natural_key, request.reference) == ("domain:contoso.com", "35436")


def test_a_real_zendesk_body_by_an_administrator_is_mapped_as_it_is() -> None:
    """Localised dates, a description of many lines, tags in one string."""
    event = {**sample("zendesk-3"), "partner": "contoso.com"}
    mapped = {
        "displayName": "ticket_title",
        "description": "ticket_description",
        "identitySources": [{"domainName": "partner"}],
    }
    request = wanted(source("zendesk", request=mapped), event)
    assert (request.display_name, request.reference) == ("Hello world", "7")
    assert request.description.endswith("I am writing this to create a ticket.")


@pytest.mark.parametrize(
    ("profile", "name", "reference"),
    [
        ("servicenow", "servicenow-1", "INC0010023"),
        ("servicenow", "servicenow-4", "RITM0010023"),
        ("zendesk", "zendesk-3", "7"),
        ("freshservice", "freshdesk-1", "11"),
    ],
)
def test_a_real_body_without_a_partner_is_refused_with_its_ticket(
    profile: str, name: str, reference: str
) -> None:
    """What these administrators sent is about other things; whoever looks finds the ticket."""
    told = refused(source(profile), sample(name))
    assert told.reference == reference
    assert told.faults
    assert "/identitySources" in {fault.pointer for fault in told.faults}


def test_the_example_of_standard_webhooks_asks_for_nothing() -> None:
    event = sample("standard-webhooks-1")["body"]
    assert read(source("partner-portal"), delivery(event)) == PassedOver()


@pytest.mark.parametrize("name", DOCUMENTED)
def test_each_profile_reads_what_its_page_lets_be_typed(name: str) -> None:
    request = wanted(source(name), Ticket("contoso.com", number="T-1").of(name))
    assert (request.display_name, request.reference) == ("Contoso", "T-1")
    assert request.natural_key == "domain:contoso.com"
    assert request.description.startswith("Partner organization, approved in ")


def test_each_profile_is_declared_in_a_page() -> None:
    assert {declared["profile"] for declared in DOCUMENTED.values()} == {*PROFILES}


def test_a_body_of_freshservice_may_be_wrapped_or_not() -> None:
    bare = Ticket("contoso.com", number="T-1").typed()
    wrapped = b'{"freshdesk_webhook": %s}' % bare
    assert wanted(source("freshservice"), bare) == wanted(source("freshservice"), wrapped)


# What administrators type


@pytest.mark.parametrize("missing", ["", "  ", None, [], {}])
def test_what_is_missing_in_any_way_falls_back_to_the_default(missing: Any) -> None:
    ticket = Ticket("contoso.com")
    request = wanted(source(), ticket.typed(description=missing, state=missing, ticket=missing))
    assert request.description == "Partner organization, approved in ServiceNow"
    assert (request.state.value, request.reference) == ("configured", None)


@pytest.mark.parametrize(
    ("value", "text"), [(11111, "11111"), (7.5, "7.5"), (True, "true"), (" T-1\t", "T-1"), (0, "0")]
)
def test_everything_becomes_text(value: Any, text: str) -> None:
    assert wanted(source(), Ticket("contoso.com").typed(ticket=value)).reference == text


def test_fields_that_nobody_knows_and_localised_dates_do_no_harm() -> None:
    more = {
        "created": "3. Februar 2025 19:59",
        "geöffnet": "٣ فبراير ٢٠٢٥",
        "variables": {"deep": [{"er": None}]},
        "displayName": "not this one",
    }
    assert wanted(source(), Ticket("contoso.com").typed(**more)).display_name == "Contoso"


def test_line_breaks_may_stand_in_a_string_as_they_are() -> None:
    """A template puts a ticket's text between quotes as it is."""
    body = Ticket("contoso.com").typed(description="first\nsecond\tx").replace(b"\\n", b"\n")
    assert wanted(source(), body.replace(b"\\t", b"\t")).description == "first\nsecond\tx"


def test_a_byte_order_mark_is_passed_over() -> None:
    assert wanted(source(), b"\xef\xbb\xbf" + Ticket("contoso.com").typed())


def test_half_a_character_is_replaced() -> None:
    body = Ticket("contoso.com").typed(partnerName="half", ticket="half")
    request = wanted(source(), body.replace(b'"half"', b'"Cont\\ud83doso"'))
    assert (request.display_name, request.reference) == ("Cont\ufffdoso", "Cont\ufffdoso")


@pytest.mark.parametrize("body", [b"", b"name=Contoso", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    told = refused(source(), body)
    assert (told.faults, told.reference, told.kind.code) == (None, None, "MalformedBody")


def test_a_reference_that_cannot_be_one_still_finds_the_ticket() -> None:
    told = refused(source(), Ticket("contoso.com").typed(ticket="T-1\r\nforged " + "x" * 300))
    assert {fault.pointer for fault in told.faults or ()} == {"/reference"}
    assert told.reference is not None
    assert told.reference.startswith("T-1  forged xxx")
    assert len(told.reference) == 256


# Identity sources


@pytest.mark.parametrize(
    ("given", "natural_key"),
    [
        ({"domainName": "contoso.com", "tenantId": ""}, "domain:contoso.com"),
        ({"domainName": "", "tenantId": TENANT}, f"tenant:{TENANT}"),
        ({"domainName": "contoso.com", "tenantId": TENANT.upper()}, f"tenant:{TENANT}"),
        ({"domainName": "contoso.com", "issuerUri": "https://sts"}, "federation:contoso.com"),
        (
            {"tenantId": TENANT, "cloudInstance": "microsoftonline.us"},
            f"crosscloud:microsoftonline.us:{TENANT}",
        ),
        ({"cloudInstance": "microsoftonline.us", "domainName": "a.com"}, "domain:a.com"),
        (
            {"@odata.type": "microsoft.graph.externalDomainFederation", "domainName": "a.com"},
            "federation:a.com",
        ),
    ],
)
def test_the_type_is_known_by_what_is_named(given: dict[str, str], natural_key: str) -> None:
    assert wanted(of_typed(), {"name": "A", "sources": [given]}).natural_key == natural_key


@pytest.mark.parametrize("sources", [None, "", [], [{}], [{"displayName": "A"}], {}])
def test_a_source_that_names_nothing_is_missing(sources: Any) -> None:
    event = {"name": "A", "sources": sources}
    assert faults(of_typed(), event) == {"/identitySources": "Is required."}


def test_two_sources_are_one_too_many() -> None:
    sources = [{"domainName": "a.com"}, {"domainName": "b.com"}]
    assert [*faults(of_typed(), {"name": "A", "sources": sources})] == ["/identitySources"]


def test_a_source_may_be_limited_to_types() -> None:
    limited = of_typed(identitySourceTypes=["azureActiveDirectoryTenant"])
    assert wanted(limited, {"name": "A", "sources": [{"tenantId": TENANT}]})
    told = faults(limited, {"name": "A", "sources": [{"domainName": "a.com"}]})
    assert "azureActiveDirectoryTenant, not for domain" in told["/identitySources/0/@odata.type"]


# Expressions that an event makes fail


def test_all_faults_come_at_once() -> None:
    mapped = {"displayName": "contains(nothing, 'x')", "state": "state"}
    told = faults(of_typed(map=mapped), {"state": "approved", "sources": [{"domainName": "a"}]})
    assert [*told] == ["/displayName", "/identitySources/0/domainName", "/state"]
    assert told["/displayName"].startswith("It can't be read: In function contains()")


def test_a_condition_that_fails_drops_no_event_silently() -> None:
    told = refused(of_typed(counts="contains(labels, 'partner')"), {"number": "T-1"})
    assert [fault.pointer for fault in told.faults or ()] == [""]
    assert "Whether the event counts can't be told" in str(told.error)


@pytest.mark.parametrize("value", [0, "x", [1], True])
def test_a_condition_holds_for_what_jmespath_calls_true(value: Any) -> None:
    event = {"on": value, "name": "A", "sources": [{"domainName": "a.com"}]}
    assert wanted(of_typed(counts="on"), event)


@pytest.mark.parametrize("value", [None, "", [], {}, False])
def test_a_condition_does_not_hold_for_what_jmespath_calls_false(value: Any) -> None:
    assert read(of_typed(counts="on"), delivery({"on": value})) == PassedOver()


# Delivery ids


@pytest.mark.parametrize(
    ("declared", "id_"),
    [
        ({"header": "X-Delivery"}, "d-1"),
        ({"header": "X-Other"}, None),
        ({"path": "join('-', [sys_id, to_string(updates)])"}, "5f4d-2"),
        ({"path": "updates"}, "2"),
        ({"path": "nothing"}, None),
        (None, None),
    ],
)
def test_the_delivery_id_is_found(declared: dict[str, str] | None, id_: str | None) -> None:
    event = {"sys_id": "5f4d", "updates": 2, "name": "A", "sources": [{"domainName": "a.com"}]}
    for changed in (event, {**event, "name": ""}):  # also of what is refused
        reading = read(of_typed(deliveryId=declared), delivery(changed, x_delivery=" d-1"))
        assert not isinstance(reading, PassedOver)
        assert reading.delivery_id == id_


def test_a_delivery_id_that_cannot_be_told_is_told() -> None:
    told = refused(of_typed(deliveryId={"path": "join('-', [a, b])"}), {})
    assert "The delivery's id can't be told" in str(told.error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
KNOWN = st.sampled_from(
    [
        "partnerName",
        "partnerDomain",
        "partnerTenantId",
        "description",
        "ticket",
        "state",
        "freshdesk_webhook",
        "data",
        "issue",
        "fields",
        "key",
        "summary",
        "webhookEvent",
        "changelog",
        "items",
        "detail",
        "event",
        "type",
        "external_id",
    ]
)


@pytest.mark.parametrize("name", DOCUMENTED)
@given(event=st.dictionaries(KNOWN, JSON | st.dictionaries(KNOWN, JSON)) | JSON)
@settings(max_examples=100)
def test_no_event_breaks_a_profile(name: str, event: Any) -> None:
    everything = source(name, counts=None)
    reading = read(everything, Delivery({}, json.dumps(event).encode()))
    assert isinstance(reading, Wanted | Refused)
    if isinstance(reading, Refused):
        (reading.reference or "").encode()
