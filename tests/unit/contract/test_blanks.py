"""What says that there is no value, and what becomes of it in every way in."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connorg.contract.asking import ask, ask_fields
from connorg.contract.blanks import is_blank, says_nothing
from connorg.contract.changes import OrganizationChanges
from connorg.contract.messages import ProducerMessage
from connorg.contract.parsing import InvalidValuesError, parse_fields
from connorg.contract.requests import OnboardingRequest
from tests.cases import each
from tests.unit.partner_files.files import rows
from tests.unit.partners import CONTOSO_TENANT, body, domain_source, request, tenant_source
from tests.unit.webhooks.readings import refused, source, wanted

EMPTY: tuple[Any, ...] = (None, "", "  ", "\t", "\u200b", "\u00a0\ufeff", "\u3164")
WORDS = (
    *("undefined", "null", "NULL", "Nil", "none", "None", "NaN", "NaT", "<NA>", "DBNull", "\\N"),
    *("n/a", "N/A", "N.A.", "NA", "not applicable", "not set", "k.A.", "keine Angabe", "s.o."),
    *("(null)", "<null>", "[none]", "{undefined}", "(blank)", "<empty>", "''", '""', "'null'"),
    *("#N/A", "#NV", "#REF!", "#VALUE!", "#WERT!", "#NAME?", "#DIV/0!", "#NULL!"),
    *("-", "--", "—", "\u2013", "...", "?", "/", "_", " - "),
    *("{{ticket.cf_domain}}", "${issue.key}", "#{row}", "$(Tenant)", "<%= name %>", "%TENANT_ID%"),
    *(
        "[object Object]",
        "[object Undefined]",
        "null\u200b",
        "00000000-0000-0000-0000-000000000000",
    ),
)
NAMES = (
    *("Null Island Ltd", "None of Your Business", "Nan & Sons", "Undefined Labs", "N/A Records"),
    *("Blank", "Empty", "Vide", "A", "0", "3", "#hashtag", "@home Ltd", "=Equal Inc", "-Minus AG"),
    *(
        "(RED)",
        "[x]",
        "{{a}} and {{b}}",
        "100%",
        "'s-Hertogenbosch BV",
        "C++",
        "Ørsted",
        "株式会社",
    ),
    *("!!!", "$", "\N{SLICE OF PIZZA}", "null-and-void.example", "Na'vi"),
)

BLANKS = (*EMPTY, *WORDS)


def test_what_says_nothing_is_blank() -> None:
    for case in each(BLANKS):
        with case as blank:
            assert is_blank(blank)


def test_what_says_something_is_not() -> None:
    for case in each(NAMES):
        with case as name:
            assert not is_blank(name)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(WORDS))
def test_blanks_around_a_word_change_nothing_and_more_does(text: str, word: str) -> None:
    assert says_nothing(f" {word}\n")
    assert says_nothing(text) or not says_nothing(f"x{text}y{word}")


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_value_can_be_asked(value: Any) -> None:
    assert is_blank(value) in {True, False}


# One meaning in every way in. Each gives the request that a value in the place of a field makes.


def by_http(field: str, value: Any) -> OnboardingRequest:
    return ask(OnboardingRequest, json.dumps(body() | {field: value}))


def by_queue(field: str, value: Any) -> OnboardingRequest:
    return ask_fields(ProducerMessage, body() | {field: value}).onboarding_request


def by_webhook(field: str, value: Any) -> OnboardingRequest:
    fields = ("displayName", "description", "state", "reference", "ifExists", "callbackUrl")
    lists = {name: f"[{name}]" for name in ("internalSponsors", "externalSponsors")}
    mapped = {**{name: name for name in fields}, **lists, "identitySources": "identitySources"}
    bare = source(proof={"scheme": "header-key", "header": "X"}, request=mapped)
    return wanted(bare.model_copy(update={"defaults": {}}), body() | {field: value})


async def by_file(field: str, value: Any) -> OnboardingRequest:
    [row] = await rows(json.dumps([body() | {field: value}]))
    [line] = await rows(json.dumps(body() | {field: value}), "application/x-ndjson")
    assert row.request is not None
    assert row.request == line.request
    return row.request


async def by_spreadsheet(field: str, value: Any) -> OnboardingRequest:
    cells = {"domain": "contoso.com", **body(), field: value or ""}
    del cells["identitySources"]
    quoted = [json.dumps(cell, ensure_ascii=False).replace('\\"', '""') for cell in cells.values()]
    plain = [cell.replace("\\\\", "\\").replace("\\t", "\t") for cell in quoted]
    [row] = await rows(f"{','.join(cells)}\n{','.join(plain)}\n")
    assert row.request is not None, row.faults
    return row.request


WAYS: tuple[Callable[[str, Any], OnboardingRequest], ...] = (by_http, by_queue, by_webhook)


async def test_a_blank_value_has_one_meaning_in_every_way_in() -> None:
    usual = {
        "description": request(description="Contoso"),
        "state": request(state="configured"),
        **dict.fromkeys(("reference", "ifExists"), request()),
    }
    for case in each(product(BLANKS, usual.items())):
        with case as (blank, (field, meaning)):
            for way in WAYS:
                assert way(field, blank) == meaning, way
            assert await by_file(field, blank) == meaning
            assert await by_spreadsheet(field, blank) == meaning


def test_a_list_is_taken_without_its_blanks() -> None:
    for case in each(product(("internalSponsors", "externalSponsors"), BLANKS)):
        with case as (field, blank):
            asked = ask_fields(OnboardingRequest, body() | {field: ["ada@contoso.com", blank]})
            assert [sponsor.sponsor for sponsor in asked.sponsorships] == ["ada@contoso.com"]
            assert ask_fields(OnboardingRequest, body() | {field: blank}) == request()


def test_an_optional_field_that_is_blank_is_left_out() -> None:
    for case in each(product(("callbackUrl", "idempotencyKey", "@odata.type"), BLANKS)):
        with case as (field, blank):
            asked = ask_fields(ProducerMessage, body() | {field: blank})
            given = (asked.callback_url, asked.idempotency_key, asked.odata_type)
            assert given == (None, None, None)


def test_a_blank_beside_a_good_source_refuses_nothing() -> None:
    sources = ((domain_source(), "tenantId"), (tenant_source(), "domainName"))
    for case in each(product(BLANKS, sources)):
        with case as (blank, (good, other)):
            asked = ask_fields(OnboardingRequest, body(good | {other: blank, "displayName": blank}))
            assert asked == request(good)
            named = {**good, other: blank, "displayName": blank}
            del named["@odata.type"]
            event = body() | {"partner": named}
            mapped = source(request={"displayName": "displayName", "identitySources": "[partner]"})
            assert wanted(mapped, event).natural_key == request(good).natural_key


def test_where_a_value_must_be_a_word_for_none_is_refused_by_name() -> None:
    for case in each(WORDS):
        with case as word:
            wrong = body(domain_source(word), displayName=word, description=word)
            with pytest.raises(InvalidValuesError) as raised:
                ask_fields(OnboardingRequest, wrong)
            told = {fault.pointer: fault.detail for fault in raised.value.faults}
            detail = f"{word.strip()!r} counts as no value; a value is required here."
            assert told == {"/displayName": detail, "/identitySources/0/domainName": detail}


def test_what_is_no_field_is_told_as_that_though_it_is_blank() -> None:
    for case in each(BLANKS):
        with case as blank:
            with pytest.raises(InvalidValuesError) as raised:
                ask_fields(OnboardingRequest, body(colour=blank))
            [fault] = raised.value.faults
            assert fault.detail == "'colour' is not a known field; remove it."


def test_a_word_for_nothing_is_passed_over_for_the_next_place_of_a_value() -> None:
    for case in each(WORDS):
        with case as word:
            event = {
                "partnerName": "A",
                "partnerDomain": "a.com",
                "ticket": word,
                "number": "INC1",
            }
            assert wanted(source(), event).reference == "INC1"


async def test_no_file_makes_an_organization_of_a_word() -> None:
    for case in each(WORDS):
        with case as word:
            asked = {"displayName": word, "description": "x", "state": "configured"}
            [row] = await rows(json.dumps([asked], ensure_ascii=False))
            assert row.request is None


def test_nothing_is_renamed_to_a_word_for_nothing() -> None:
    for case in each(product(("displayName", "description"), WORDS)):
        with case as (field, word):
            with pytest.raises(InvalidValuesError) as raised:
                parse_fields(OrganizationChanges, {field: word})
            assert [fault.pointer for fault in raised.value.faults] == [f"/{field}"]


def test_no_delivery_is_known_by_a_word_for_nothing() -> None:
    for case in each(product(({"header": "X-Delivery"}, {"path": "id"}), WORDS)):
        with case as (declared, word):
            told = refused(source(deliveryId=declared), {"id": word}, x_delivery=word)
            assert told.delivery_id is None


def test_what_was_kept_before_is_read_as_it_stands() -> None:
    kept = request(displayName="undefined", description="n/a").model_dump_json()
    assert OnboardingRequest.model_validate_json(kept).display_name == "undefined"


def test_a_tenant_that_is_known_by_zeros_is_refused() -> None:
    zeros = body(
        tenant_source(CONTOSO_TENANT.translate(str.maketrans("123456789abcdef", "0" * 15)))
    )
    with pytest.raises(InvalidValuesError, match="/identitySources/0/tenantId"):
        ask_fields(OnboardingRequest, zeros)
