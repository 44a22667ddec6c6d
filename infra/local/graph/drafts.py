"""What Graph asks of the body of an organization, once it could be read; its refusals."""

from collections.abc import Mapping
from typing import Any

from infra.local.graph.bodies import read_entity
from infra.local.graph.calls import Call
from infra.local.graph.errors import bad_request, not_emulated
from infra.local.graph.json_reader import Object
from infra.local.graph.model import MODELS, ORGANIZATION
from infra.local.graph.organizations import SPONSOR_KINDS, Organization
from infra.local.graph.sources import Source, judged

_STATES = ("configured", "proposed")
_TEXTS = ("displayName", "description")
_CHANGEABLE = frozenset({*_TEXTS, "state"})
_GRAPHS_OWN = frozenset({"id", "createdDateTime", "modifiedDateTime", "createdBy", "modifiedBy"})


def read_organization(call: Call) -> dict[str, Any]:
    """What was sent of an organization. Raise GraphError."""
    body = call.json()
    if isinstance(body, Object) and any(name == "domainName" for name, _ in body.members):
        # Not in the metadata, and yet Microsoft365DSC creates organizations with it.
        raise not_emulated("'domainName' in the body of an organization")
    read = read_entity(MODELS[call.version], ORGANIZATION, body)
    for kind in SPONSOR_KINDS:
        if kind in read:
            raise not_emulated(f"'{kind}' in the body of an organization", "inlineSponsors")
    return read


def judge_new(read: Mapping[str, Any]) -> tuple[dict[str, Any], Source]:
    """What is kept of a new organization, and its one source. All four properties are listed as
    required on the page "Create connectedOrganization", and yet the state has a documented
    default. Raise GraphError."""
    for name in sorted(_GRAPHS_OWN & read.keys()):
        raise not_emulated(f"'{name}' in the body of a new organization")
    for name in (*_TEXTS, "identitySources"):
        if read.get(name) is None:
            raise bad_request(f"The property '{name}' is required.")
    _judge_values(read)
    sources = read["identitySources"]
    if len(sources) != 1:
        text = "A connected organization is created with exactly one identity source."
        raise bad_request(text, "secondSource" if sources else None)
    kept = {name: read[name] for name in read if name in _CHANGEABLE}
    return kept, judged(sources[0])


def judge_changes(read: Mapping[str, Any], organization: Organization) -> dict[str, Any]:
    """What an update changes. What only Graph sets may be sent as it is, by a client that sends a
    whole organization. Raise GraphError."""
    for name in sorted(_GRAPHS_OWN & read.keys()):
        if read[name] != organization.entity[name]:
            raise not_emulated(f"A change of '{name}'")
    if "identitySources" in read and not _are_the_same(read, organization):
        raise not_emulated("A change of identity sources, which the documents leave out,")
    for name in _TEXTS:
        if name in read and read[name] is None:
            raise bad_request(f"The property '{name}' is required.")
    _judge_values(read)
    return {name: read[name] for name in read if name in _CHANGEABLE}


def _are_the_same(read: Mapping[str, Any], organization: Organization) -> bool:
    def valued(source: Source | None) -> Mapping[str, Any]:
        return {name: value for name, value in (source or {}).items() if value is not None}

    sent, held = read["identitySources"], organization.entity["identitySources"] or []
    return [valued(source) for source in sent] == [valued(source) for source in held]


def _judge_values(read: Mapping[str, Any]) -> None:
    if not str(read.get("displayName", "named")).strip():
        raise bad_request("The property 'displayName' must not be empty.")
    if "state" in read and read["state"] not in _STATES:
        raise bad_request(f"'{read['state']}' is not a state of a connected organization.")


def read_subject(call: Call) -> None:
    """The example on the page "Add connectedOrganization" leaves the source without its type and
    its values, so only the other names and types are looked at. Raise GraphError."""
    body = call.json()
    if isinstance(body, Object):
        body = Object(tuple(pair for pair in body.members if pair[0] != "identitySources"))
    read_entity(MODELS[call.version], ORGANIZATION, body)
