"""What belongs to a profile: whatever is forgotten is named, with the file to open."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connorg.webhooks.mapping import Accepted, read
from connorg.webhooks.profiles import PROFILES
from connorg.webhooks.proof import Delivery, ProofError
from connorg.webhooks.senders import Sender
from tests.senders import CONNECT, DOCUMENTED, SECRETS, Ticket, headers

# A body that the system really sent, of whatever kind.
SAMPLES: Mapping[str, str] = {
    "servicenow": "servicenow-1",
    "jira": "jira-3",
    "jira-automation": "jira-automation-1",
    "zendesk": "zendesk-3",
    "zendesk-event": "zendesk-1",
    "freshservice": "freshdesk-1",
    "freshdesk": "freshdesk-1",
    "azure-devops": "azure-devops-1",
    "github": "github-1",
    "gitlab": "gitlab-1",
    "standard-webhooks": "standard-webhooks-1",
}
TESTS = Path(__file__).parents[2]
HERE = "tests/unit/webhooks/test_profile_parts.py"
READERS = "tests/unit/webhooks/test_profiles.py"
READ = (TESTS.parent / READERS).read_text()
PAGES = {page.name: page.read_text() for page in sorted(CONNECT.glob("*.md"))}
INDEX = PAGES.pop("README.md")
DELIVERY = "4711"


def forgotten(profiles: Iterable[str]) -> Iterator[str]:
    for name in profiles:
        if name not in {declared.get("profile") for declared in DOCUMENTED.values()}:
            yield f"{name}: no source has it; declare one in docs/connect/sources.json"
        shown = [page for page, text in PAGES.items() if f'"profile": "{name}"' in text]
        if not shown:
            yield f"{name}: no page shows how it is declared; write one into docs/connect"
        for page in shown:
            if f"({page})" not in INDEX:
                yield f"{name}: docs/connect/README.md does not lead to {page}"
        if f"`{name}`" not in INDEX:
            yield f"{name}: docs/connect/README.md does not list it (The declaration, profile)"
        yield from forgotten_sample(name, SAMPLES.get(name))


def forgotten_sample(profile: str, sample: str | None) -> Iterator[str]:
    if sample is None:
        yield f"{profile}: name something that it really sends in SAMPLES, {HERE}"
    elif not (TESTS / f"payloads/{sample}.json").exists():
        yield f"{profile}: put what it really sends into tests/payloads/{sample}.json"
    elif f'"{sample}"' not in READ:
        yield f"{profile}: no test reads the sample {sample}; write one into {READERS}"


def forgotten_of_source(name: str, declared: Mapping[str, Any]) -> Iterator[str]:
    """Name what tests/senders.py lacks to play a source of docs/connect/sources.json."""
    if "profile" in declared and declared["profile"] not in PROFILES:
        yield f"{name}: connorg/webhooks/profiles.py has no profile {declared['profile']}"
        return
    sender = Sender.model_validate(declared)
    secret = SECRETS.get(sender.secrets[0])
    if secret is None:
        yield f"{name}: tests/senders.py has no {sender.secrets[0]} (SECRETS)"
        return
    body = Ticket("contoso.com").of(name)
    sent = {header.lower(): value for header, value in headers(name, body, DELIVERY).items()}
    delivery = Delivery(sent, body)
    try:
        sender.proof.check(delivery, [sender.proof.key_of(secret)], datetime.now(UTC))
    except ProofError as error:
        yield f"{name}: tests/senders.py does not prove what it sends (headers): {error}"
    match read(sender, delivery):
        case Accepted(delivery_id=None):
            yield f"{name}: tests/senders.py does not send its delivery id (headers)"
        case Accepted():
            pass
        case _:
            yield f"{name}: tests/senders.py sends nothing that its profile takes (Ticket.of)"


def test_all_that_profiles_need_is_there() -> None:
    of_sources = [one for item in DOCUMENTED.items() for one in forgotten_of_source(*item)]
    left_over = [
        f"{name} is no profile: take it out of SAMPLES, {HERE}"
        for name in sorted(SAMPLES.keys() - PROFILES.keys())
    ]
    found = [*forgotten(PROFILES), *of_sources, *left_over]
    assert not found, "\n".join(found)


def test_what_is_forgotten_of_a_profile_is_named() -> None:
    assert [*forgotten(["novelty"])] == [
        "novelty: no source has it; declare one in docs/connect/sources.json",
        "novelty: no page shows how it is declared; write one into docs/connect",
        "novelty: docs/connect/README.md does not list it (The declaration, profile)",
        f"novelty: name something that it really sends in SAMPLES, {HERE}",
    ]
    assert [*forgotten_sample("novelty", "novelty-1")] == [
        "novelty: put what it really sends into tests/payloads/novelty-1.json"
    ]


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        (
            {"profile": "novelty", "secrets": ["NOVELTY_KEY"]},
            "novelty: connorg/webhooks/profiles.py has no profile novelty",
        ),
        (
            {"profile": "servicenow", "secrets": ["NOVELTY_KEY"]},
            "novelty: tests/senders.py has no NOVELTY_KEY (SECRETS)",
        ),
        (
            {"profile": "servicenow", "secrets": ["FRESHSERVICE_KEY"]},
            "novelty: tests/senders.py does not prove what it sends (headers): ",
        ),
        (
            {"profile": "servicenow", "secrets": ["SERVICENOW_KEY"], "deliveryId": {"header": "X"}},
            "novelty: tests/senders.py does not send its delivery id (headers)",
        ),
        (
            {"profile": "servicenow", "secrets": ["SERVICENOW_KEY"], "counts": "approved"},
            "novelty: tests/senders.py sends nothing that its profile takes (Ticket.of)",
        ),
    ],
)
def test_what_is_forgotten_of_a_source_is_named(declared: Mapping[str, Any], told: str) -> None:
    [found] = forgotten_of_source("novelty", declared)
    assert found.startswith(told)
