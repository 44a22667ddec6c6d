"""What must hold at the end of every campaign, whatever was killed, cut or refused on the way."""

from collections import Counter
from collections.abc import Iterator

from tests.campaign.evidence import Evidence, domain_of
from tests.end_to_end.client import Json


def broken(evidence: Evidence) -> list[str]:
    """Say what does not hold; nothing: all is well."""
    return [
        *_not_as_promised(evidence),
        *_not_onboarded(evidence),
        *_not_exactly_once(evidence),
        *(f"{domain} had two open onboardings at once" for domain in evidence.opened_twice),
        *(f"a request was refused: {refusal}" for refusal in evidence.tally.refused),
    ]


def _not_as_promised(evidence: Evidence) -> Iterator[str]:
    for accepted in evidence.tally.accepted:
        onboarding = evidence.by_id[accepted.onboarding_id]
        if domain_of(onboarding) != accepted.partner.domain:
            yield f"{accepted} was promised and is of {domain_of(onboarding)}"
        if onboarding["status"] != "Succeeded":
            yield f"{accepted} was promised and is {_state(onboarding)}"


def _not_onboarded(evidence: Evidence) -> Iterator[str]:
    for onboarding in evidence.onboardings:
        if onboarding["status"] != "Succeeded":
            yield f"{domain_of(onboarding)}: onboarding {onboarding['id']} is {_state(onboarding)}"
    known = Counter(domain_of(onboarding) for onboarding in evidence.onboardings)
    for partner in evidence.plan.partners:
        if known[partner.domain] != 1:
            yield f"{partner.domain} has {known[partner.domain]} onboardings"


def _not_exactly_once(evidence: Evidence) -> Iterator[str]:
    ids: dict[str, set[str]] = {}
    for organization in evidence.organizations:
        for source in organization["identitySources"]:
            ids.setdefault(source["domainName"], set()).add(organization["id"])
    wanted = Counter(partner.domain for partner in evidence.plan.partners)
    for domain in wanted | Counter(ids.keys()):
        if len(ids.get(domain, ())) != wanted[domain]:
            yield f"{domain} has the organizations {sorted(ids.get(domain, ()))} in Graph"
    for onboarding in evidence.onboardings:
        result = onboarding["result"]
        if result and result["id"] not in ids.get(domain_of(onboarding), ()):
            yield f"{domain_of(onboarding)}: {onboarding['id']} names {result['id']}, not Graph's"


def _state(onboarding: Json) -> str:
    error = onboarding["lastError"]
    due = onboarding["nextAttemptDateTime"]
    return " ".join(
        [
            f"{onboarding['status']} after attempt {onboarding['attempts']}",
            *([f"until {due}"] if due else []),
            *([f"({error['code']}: {error['message']})"] if error else []),
        ]
    )
