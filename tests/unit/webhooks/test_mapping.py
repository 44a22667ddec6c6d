"""From what administrators type to a request: whatever it is, it is read or told."""

import json
from typing import Any

import pytest

from connorg.webhooks.mapping import Ignored, Invalid, read
from connorg.webhooks.proof import Delivery
from connorg.webhooks.senders import Sender
from tests.senders import Ticket
from tests.unit.webhooks.readings import delivery, faults, refused, source, wanted

TENANT = "2f9c4e6a-77d6-4d08-9a4c-0e4d8c1b2a03"
SOURCE = {"domainName": "a.com"}
KEY = {"scheme": "header-key", "header": "X-Key"}


def of_typed(**changes: Any) -> Sender:
    """A source whose event is the request's fields, by their own names."""
    request = {"displayName": "name", "identitySources": "sources", "reference": "number"}
    declared = {"proof": KEY, "secrets": ["KEY"], "request": {**request, **changes.pop("map", {})}}
    defaults = {"description": "A partner", "state": "configured"}
    return Sender.model_validate({**declared, "defaults": defaults, **changes})


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


def test_a_list_is_taken_without_its_blanks() -> None:
    mapped = {"internalSponsors": "[owner, deputy, boss]", "externalSponsors": "none"}
    event = {"owner": " joe@contoso.com", "deputy": "", "name": "A", "sources": [SOURCE]}
    request = wanted(of_typed(map=mapped), event)
    assert [sponsor.sponsor for sponsor in request.sponsorships] == ["joe@contoso.com"]


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
    [(pointer, detail)] = faults(of_typed(), event).items()
    assert pointer == "/identitySources"
    assert detail.startswith("Is required. sources found ")


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
    assert "Whether the event counts can't be determined" in str(told.error)


@pytest.mark.parametrize("value", [0, "x", [1], True])
def test_a_condition_holds_for_what_jmespath_calls_true(value: Any) -> None:
    event = {"on": value, "name": "A", "sources": [{"domainName": "a.com"}]}
    assert wanted(of_typed(counts="on"), event)


@pytest.mark.parametrize("value", [None, "", [], {}, False])
def test_a_condition_does_not_hold_for_what_jmespath_calls_false(value: Any) -> None:
    assert read(of_typed(counts="on"), delivery({"on": value})) == Ignored({"on": value})


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
        assert not isinstance(reading, Ignored)
        assert reading.delivery_id == id_


def test_a_delivery_id_that_cannot_be_told_is_told() -> None:
    told = refused(of_typed(deliveryId={"path": "join('-', [a, b])"}), {})
    assert "The delivery's id can't be determined" in str(told.error)


# What is no JSON


@pytest.mark.parametrize(
    ("body", "content_type", "told"),
    [
        (
            b"payload=%7B%22a%22%3A1%7D&x=1",
            "application/x-www-form-urlencoded",
            "it is a form (app",
        ),
        (b"ticket=5", "application/json", "it is a form (application/x-www-form-urlencoded)"),
        (b"--x\r\nContent-Disposition: form-data", "multipart/form-data; boundary=x", "with parts"),
        (b"<ticket/>", "text/xml", "it is XML or HTML"),
        (b'{"a": {{ticket.title}}}', "application/json", "line 1, column 8: Expecting property"),
        (b'{"a": "b"', "application/json", "line 1, column 10: Expecting ',' delimiter"),
        (b"", "application/json", "The body is empty"),
        ('{"a": "ü"}'.encode("cp1252"), "application/json", "byte 8, in line 1, is 0xFC"),
    ],
)
def test_a_body_of_another_form_is_told_what_to_choose(
    body: bytes, content_type: str, told: str
) -> None:
    error = str(refused(source(), body, content_type=content_type).error)
    assert told in error
    assert ("application/json" in error) == ("it is" in error)


def test_a_body_in_utf_16_is_read() -> None:
    body = Ticket("contoso.com").typed().decode().encode("utf-16")
    assert wanted(source(), body).display_name == "Contoso"


def test_the_first_of_several_headers_is_the_delivery_id() -> None:
    portal = source("partner-portal")
    for headers in ({"svix_id": "m-1"}, {"webhook_id": "m-1", "svix_id": "m-2"}):
        told = read(portal, delivery({"type": "partner.approved"}, **headers))
        assert not isinstance(told, Ignored)
        assert told.delivery_id == "m-1"


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (nested(64), "nested too deeply"),
        (nested(1_500), "nested too deeply"),
        (nested(100_000), "not JSON"),
        (b"[" * 1_500 + b"]" * 1_500, "nested too deeply"),
        (json.dumps({"on": True, "list": [0] * 510_000}).encode(), "more than 20000 values"),
        (json.dumps({str(number): 0 for number in range(10_000)}).encode(), "more than 20000"),
        (json.dumps({"on": "x" * (256 * 1024 + 1)}).encode(), "a text of more than"),
    ],
    ids=["65 levels", "1,500 levels", "100,000 levels", "lists", "items", "members", "text"],
)
def test_an_event_that_would_take_long_is_refused_before_it_is_read(
    event: bytes, told: str
) -> None:
    reading = read(of_typed(counts="on"), Delivery({}, event))
    assert isinstance(reading, Invalid)
    assert told in str(reading.error)


def test_an_event_may_be_as_large_as_tickets_come() -> None:
    fields = {f"field{number}": {"value": [number]} for number in range(3_000)}
    large = json.dumps({"on": True, "ticket": fields, "text": "x" * 256 * 1024}).encode()
    assert not isinstance(read(of_typed(counts="on"), Delivery({}, large)), Ignored)
    assert isinstance(read(of_typed(counts="off"), Delivery({}, large)), Ignored)
    assert isinstance(read(of_typed(counts="off"), Delivery({}, nested(63))), Ignored)
