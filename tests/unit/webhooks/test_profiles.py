"""What ticketing systems really send, and what their profiles make of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connorg.webhooks.mapping import Accepted, Ignored, Invalid, read
from connorg.webhooks.proof import Delivery
from tests.senders import DOCUMENTED, Ticket
from tests.unit.webhooks.readings import delivery, faults, refused, source, wanted

PAYLOADS = Path(__file__).parents[2] / "payloads"


def sample(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


# Jira


def approved(issue: Any, status: str = "Approved") -> Any:
    """A real event, as Jira sends it when the issue's status changes."""
    change = {"field": "status", "fieldtype": "jira", "fromString": "To Do", "toString": status}
    changelog = {"id": "10034", "items": [{"field": "Rank", "toString": "Ranked"}, change]}
    return {**issue, "webhookEvent": "jira:issue_updated", "changelog": changelog}


def test_a_real_jira_event_of_another_kind_asks_for_nothing() -> None:
    created = sample("jira-3")
    assert created["webhookEvent"] == "jira:issue_created"
    assert read(source("jira"), delivery(created)) == Ignored(created)
    assert read(source("jira"), delivery(approved(created, "Done"))) == Ignored(
        approved(created, "Done")
    )


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
    assert faults(source("jira", request=empty), event) == {
        "/identitySources": "Is required. issue.fields.customfield_10034 found nothing, it is null."
    }
    assert [*faults(source("jira"), event)] == ["/identitySources/0/domainName"]  # "Testing"
    assert refused(source("jira"), event).reference == "KAN-3"


def test_a_jira_select_field_is_taken_by_its_value() -> None:
    event = approved(sample("jira-3"))
    event["issue"]["fields"]["customfield_10071"]["value"] = "contoso.com"
    chosen = {"identitySources": [{"domainName": "issue.fields.customfield_10071.value"}]}
    assert wanted(source("jira", request=chosen), event).natural_key == "domain:contoso.com"
    whole = {"identitySources": [{"domainName": "issue.fields.customfield_10071"}]}
    [detail] = faults(source("jira", request=whole), event).values()
    assert detail.startswith('Must be a string. issue.fields.customfield_10071 found {"self": ')


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


def test_a_body_in_jiras_own_format_is_mapped_by_its_issue() -> None:
    event = sample("jira-3")
    event["issue"]["fields"]["customfield_10070"] = "contoso.com"
    mapped = {"identitySources": [{"domainName": "issue.fields.customfield_10070"}]}
    request = wanted(source("jira-automation", request=mapped), event)
    assert (request.display_name, request.reference) == ("This is test files", "KAN-3")


# GitHub, GitLab


@pytest.mark.parametrize(("name", "event"), [("github", "github-1"), ("gitlab", "gitlab-1")])
def test_a_real_event_with_another_label_asks_for_nothing(name: str, event: str) -> None:
    assert isinstance(read(source(name), delivery(sample(event))), Ignored)


def test_a_label_that_was_there_before_approves_nothing_again() -> None:
    event = json.loads(Ticket("contoso.com").of("gitlab"))
    event["changes"]["labels"]["previous"] = event["changes"]["labels"]["current"]
    assert isinstance(read(source("gitlab"), delivery(event)), Ignored)


def test_a_form_is_read_by_its_headings() -> None:
    event = json.loads(Ticket("contoso.com").of("github"))
    event["issue"]["body"] = "### Partner name\n\nA & B\n\n" + event["issue"]["body"]
    assert wanted(source("github"), event).display_name == "A & B"
    event["issue"]["body"] = "nothing of it"
    [detail] = faults(source("github"), event).values()
    assert "section(issue.body, 'Partner domain')) found nothing" in detail


# Zendesk, ServiceNow, Freshdesk, Standard Webhooks


def test_a_real_zendesk_event_of_another_kind_asks_for_nothing() -> None:
    created = sample("zendesk-1")["body"]
    assert read(source("zendesk-event"), delivery(created)) == Ignored(created)


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
        ("freshdesk", "freshdesk-1", "11"),
        ("azure-devops", "azure-devops-1", "0"),
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
    assert read(source("partner-portal"), delivery(event)) == Ignored(event)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_each_profile_reads_what_its_page_lets_be_typed(name: str) -> None:
    request = wanted(source(name), Ticket("contoso.com", number="T-1").of(name))
    reference = Ticket("contoso.com", number="T-1").reference(name)
    assert (request.display_name, request.reference) == ("Contoso", reference)
    assert request.natural_key == "domain:contoso.com"
    assert request.description.startswith("Partner organization")


def test_a_body_of_freshservice_may_be_wrapped_or_not() -> None:
    bare = Ticket("contoso.com", number="T-1").typed()
    wrapped = b'{"freshdesk_webhook": %s}' % bare
    assert wanted(source("freshservice"), bare) == wanted(source("freshservice"), wrapped)


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
@settings(max_examples=40)
def test_no_event_breaks_a_profile(name: str, event: Any) -> None:
    everything = source(name, counts=None)
    reading = read(everything, Delivery({}, json.dumps(event).encode()))
    assert isinstance(reading, Accepted | Invalid)
    if isinstance(reading, Invalid):
        (reading.reference or "").encode()
