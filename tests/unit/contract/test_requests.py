"""The create body: what is taken, and that all faults come back at once."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connorg.contract.asking import ask
from connorg.contract.blanks import says_nothing
from connorg.contract.identity_sources import ONE_LINE
from connorg.contract.messages import ProducerMessage
from connorg.contract.parsing import InvalidValuesError, MalformedBodyError, parse, parse_fields
from connorg.contract.requests import OnboardingRequest
from tests.unit.partners import CONTOSO_TENANT, body, domain_source, tenant_source


def faults(content: Any) -> dict[str, str]:
    with pytest.raises(InvalidValuesError) as raised:
        parse(OnboardingRequest, json.dumps(content))
    return {fault.pointer: fault.detail for fault in raised.value.faults}


@pytest.mark.parametrize("prefix", ["#microsoft.graph.", "microsoft.graph."])
@pytest.mark.parametrize(
    ("source", "natural_key"),
    [
        (
            {"@odata.type": "domainIdentitySource", "domainName": "Contoso.COM."},
            "domain:contoso.com",
        ),
        (
            {
                "@odata.type": "externalDomainFederation",
                "domainName": "contoso.com",
                "issuerUri": "https://idp.contoso.com/saml",
            },
            "federation:contoso.com",
        ),
        (
            {"@odata.type": "azureActiveDirectoryTenant", "tenantId": CONTOSO_TENANT.upper()},
            f"tenant:{CONTOSO_TENANT}",
        ),
        (
            {
                "@odata.type": "crossCloudAzureActiveDirectoryTenant",
                "tenantId": CONTOSO_TENANT,
                "cloudInstance": "microsoftonline.us",
            },
            f"crosscloud:microsoftonline.us:{CONTOSO_TENANT}",
        ),
    ],
)
def test_every_identity_source_is_taken_with_or_without_hash(
    source: dict[str, Any], natural_key: str, prefix: str
) -> None:
    source = source | {"@odata.type": prefix + source["@odata.type"]}
    request = parse(OnboardingRequest, json.dumps(body(source)))
    assert request.natural_key == natural_key
    assert request.identity_source.odata_type.startswith("#microsoft.graph.")


def test_the_type_of_the_organization_may_stand_in_the_body_and_goes_no_further() -> None:
    content = body() | {"@odata.type": "#microsoft.graph.connectedOrganization"}
    request = parse(OnboardingRequest, json.dumps(content))
    assert "@odata.type" not in request.model_dump()


@pytest.mark.parametrize("field", ["displayName", "description", "identitySources", "state"])
def test_the_four_properties_of_the_document_are_required(field: str) -> None:
    content = body()
    del content[field]
    assert faults(content) == {f"/{field}": "Is required."}


def test_all_faults_come_back_at_once_each_with_its_pointer() -> None:
    source = tenant_source("not-a-guid") | {"displayName": 5, "na/me~": 1}
    content = body(source, state="active", displayName="", wrong=True)
    assert set(faults(content)) == {
        "/displayName",
        "/identitySources/0/displayName",
        "/identitySources/0/tenantId",
        "/identitySources/0/na~1me~0",
        "/state",
        "/wrong",
    }


def test_an_unknown_field_is_refused_by_name() -> None:
    assert faults(body(colour="blue")) == {"/colour": "'colour' is not a known field; remove it."}


def test_python_names_are_unknown_fields() -> None:
    assert "/if_exists" in faults(body(if_exists="fail"))


@pytest.mark.parametrize(
    ("sources", "detail"),
    [
        ([], "Must contain exactly one identity source, not 0."),
        ([domain_source(), tenant_source()], "Must contain exactly one identity source, not 2."),
        ({}, "Must be an array with one identity source."),
        (None, "Must be an array with one identity source."),
    ],
)
def test_exactly_one_identity_source_is_asked_for(sources: Any, detail: str) -> None:
    assert faults(body(identitySources=sources)) == {"/identitySources": detail}


@pytest.mark.parametrize(
    "source", [{}, {"@odata.type": 5}, {"@odata.type": "#microsoft.graph.user"}, "contoso.com", 5]
)
def test_an_unknown_identity_source_is_told_the_known_ones(source: Any) -> None:
    told = faults(body(identitySources=[source]))
    assert list(told) == ["/identitySources/0/@odata.type"]
    assert "#microsoft.graph.domainIdentitySource" in told["/identitySources/0/@odata.type"]


def test_a_social_identity_source_is_said_to_be_microsofts_to_create() -> None:
    told = faults(body({"@odata.type": "#microsoft.graph.socialIdentitySource"}))
    assert "created by Microsoft" in told["/identitySources/0/@odata.type"]


BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    "text",
    [
        *("Con\u0000toso", "Con\ntoso", "\u202eosotnoC", "Con\u001b[2Jtoso"),
        *(f"Con{control}toso" for control in f"{BIDI_CONTROLS}\u2028\u2029\u0085"),
    ],
)
def test_control_characters_have_no_place_in_a_name(text: str) -> None:
    assert faults(body(displayName=text)) == {"/displayName": "Must not hold control characters."}
    # Not every dialect of patterns can name the others.
    assert re.fullmatch(ONE_LINE["pattern"], text) is None or {*text} & {
        *BIDI_CONTROLS,
        "\u2028",
        "\u2029",
    }


@pytest.mark.parametrize("control", [*BIDI_CONTROLS, "\u2028", "\u200b", "\u00ad", "\ufeff"])
def test_nothing_that_can_t_be_seen_has_a_place_in_a_sponsor(control: str) -> None:
    assert {*faults(body(internalSponsors=[f"a{control}da@contoso.com"]))} == {
        "/internalSponsors/0"
    }


@pytest.mark.parametrize(
    "unseen", ["\u200b" * 200, "\u0301", "\u2028 \u3164\ufe0f", "\u2800" * 129]
)
def test_a_name_of_which_nothing_can_be_seen_is_none(unseen: str) -> None:
    assert says_nothing(unseen)
    with pytest.raises(InvalidValuesError, match="/displayName"):
        ask(OnboardingRequest, json.dumps(body(displayName=unseen)))


@pytest.mark.parametrize(
    ("uri", "is_taken"),
    [
        *((uri, True) for uri in ("https://idp.contoso.com", "http://a.b/c", "urn:x:y")),
        *((uri, True) for uri in ("HTTPS://a.b", "URN:uuid:7d44")),
        *((uri, False) for uri in ("javascript:alert(1)", "data:text/html,x", "file:///etc")),
        *((uri, False) for uri in ("JavaScript:x", "vbscript:x", "https:", "https://", ":x")),
        *((uri, False) for uri in ("https://a\u2028b", "blob:https://a.b", "about:blank")),
    ],
)
def test_an_issuer_is_named_as_issuers_are(uri: str, is_taken: bool) -> None:  # noqa: FBT001
    source = {
        "@odata.type": "#microsoft.graph.externalDomainFederation",
        "domainName": "contoso.com",
        "issuerUri": uri,
    }
    if is_taken:
        assert parse(OnboardingRequest, json.dumps(body(source))).natural_key
    else:
        assert {*faults(body(source))} == {"/identitySources/0/issuerUri"}


def test_what_an_earlier_version_kept_is_still_read() -> None:
    federation = {
        "@odata.type": "#microsoft.graph.externalDomainFederation",
        "domainName": "contoso.com",
        "issuerUri": "spn:contoso",
    }
    kept = body(federation, displayName="Con\u200etoso", internalSponsors=["a\u200bda@contoso.com"])
    text = json.dumps(kept)
    assert OnboardingRequest.model_validate_json(text).display_name == "Con\u200etoso"
    assert {*faults(kept)} == {
        "/displayName",
        "/identitySources/0/issuerUri",
        "/internalSponsors/0",
    }


def test_a_description_may_have_lines_but_no_other_control_characters() -> None:
    parse(OnboardingRequest, json.dumps(body(description="One\nTwo")))
    assert set(faults(body(description="One\u0000"))) == {"/description"}


@pytest.mark.parametrize("name", [" ", "", "\t"])
def test_a_blank_name_is_no_name(name: str) -> None:
    assert faults(body(displayName=name)) == {"/displayName": "Must not be blank."}


def test_a_name_has_a_longest_length() -> None:
    parse(OnboardingRequest, json.dumps(body(displayName="x" * 256)))
    assert set(faults(body(displayName="x" * 257))) == {"/displayName"}


@pytest.mark.parametrize(
    "text",
    ["", "  ", "{", "[]", "null", "5", '"text"', '{"a":1}{', '{"displayName":"\\ud800"}', b"\xff"],
)
def test_what_is_no_json_object_is_malformed(text: str | bytes) -> None:
    with pytest.raises(MalformedBodyError):
        parse(OnboardingRequest, text)


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_nesting_is_refused_as_any_other_fault(depth: int) -> None:
    with pytest.raises((MalformedBodyError, InvalidValuesError)):
        parse(OnboardingRequest, '{"displayName":' + "[" * depth + "]" * depth + "}")


def test_very_many_faults_are_cut_short_with_a_word_on_it() -> None:
    told = faults(body() | {f"x{i}": 1 for i in range(500)})
    assert len(told) == 101
    assert told[""] == "There are 400 more faults."


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


bodies = st.fixed_dictionaries(
    {},
    optional={
        "displayName": json_values,
        "description": json_values,
        "identitySources": json_values
        | st.lists(
            st.fixed_dictionaries(
                {"@odata.type": st.just("#microsoft.graph.domainIdentitySource")},
                optional={"domainName": st.text(), "displayName": json_values},
            ),
            max_size=2,
        ),
        "state": json_values | st.just("configured"),
        "ifExists": json_values,
        "reference": json_values,
    },
)


@given(bodies)
def test_no_body_makes_parsing_fail_in_any_other_way(content: dict[str, Any]) -> None:
    with suppress(MalformedBodyError, InvalidValuesError):
        request = parse(OnboardingRequest, json.dumps(content))
        again = request.model_dump_json(exclude_none=True)
        assert parse(OnboardingRequest, again) == request, "what is kept must be read again"


def outcome(read: Callable[[], OnboardingRequest]) -> object:
    """What comes of a body: the request, or every fault with its sentence, in order."""
    try:
        return read()
    except InvalidValuesError as error:
        return error.faults
    except MalformedBodyError as error:
        return str(error)


@given(bodies | json_values)
@example([body()])
@example(body(internalSponsors="ada@contoso.com", externalSponsors=["ada@contoso.com"] * 21))
@example(body(state=5, ifExists=[], reference=float("inf"), callbackUrl=10**30))
@example(body(identitySources=({"@odata.type": [], "domainName": None},)))
def test_what_was_read_before_has_the_faults_of_its_text(content: Any) -> None:
    text = json.dumps(content)
    assert outcome(lambda: parse_fields(OnboardingRequest, json.loads(text))) == outcome(
        lambda: parse(OnboardingRequest, text)
    )


@pytest.mark.parametrize("spoilt", [{"displayName": "\ud83d"}, {"\ud83d": "Contoso"}])
def test_what_no_text_can_hold_is_malformed(spoilt: dict[str, Any]) -> None:
    with pytest.raises(MalformedBodyError, match="half of a surrogate pair"):
        parse_fields(OnboardingRequest, body() | spoilt)


def test_a_producers_message_asks_for_what_its_body_asks_for() -> None:
    content = body(
        tenant_source(CONTOSO_TENANT.upper()),
        internalSponsors=["Ada@contoso.com"],
        callbackUrl="https://contoso.example/done",
    )
    message = parse_fields(ProducerMessage, content | {"idempotencyKey": "key"})
    assert message.onboarding_request == parse_fields(OnboardingRequest, content)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_a_body_is_read_in_each_encoding_in_which_files_are(encoding: str) -> None:
    text = json.dumps(body(displayName="Müller"), ensure_ascii=False)
    assert ask(OnboardingRequest, text.encode(encoding)).display_name == "Müller"


def test_a_body_in_an_older_encoding_is_told_its_place() -> None:
    text = json.dumps(body(displayName="Müller"), ensure_ascii=False)
    with pytest.raises(MalformedBodyError, match="not UTF-8: byte 19, in line 1, is 0xFC"):
        ask(OnboardingRequest, text.encode("cp1252"))
