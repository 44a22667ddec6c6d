"""Reading what a caller writes about an organization; Graph's refusals of it."""

from collections.abc import Iterable
from typing import Any

from infra.local.graph.calls import Call
from infra.local.graph.errors import bad_request
from infra.local.graph.organizations import SPONSOR_KINDS, Draft
from infra.local.graph.sources import (
    NAMESPACE,
    IdentitySource,
    read_source,
    type_named,
    unknown_property,
)

_TYPE = "connectedOrganization"
_STATES = ("configured", "proposed")
_WRITABLE = {"displayName", "description", "state"}
_BETA = {"createdBy", "modifiedBy"}


def read_draft(call: Call) -> Draft:
    """All four properties are listed as required on the page "Create connectedOrganization", and
    yet the state has a documented default. Raises GraphError."""
    body = call.json_object()
    _check_names(body, {*_WRITABLE, "identitySources"}, call.version)
    for name in ("displayName", "description", "identitySources"):
        if body.get(name) is None:
            raise bad_request(f"The property '{name}' is required.")
    _check_values(body)
    state = body.get("state", _STATES[0])
    source = _read_sources(body["identitySources"])
    return Draft(body["displayName"], body["description"], state, source)


def read_changes(call: Call) -> dict[str, str]:
    """Raises GraphError."""
    body = call.json_object()
    for name in ("id", "createdDateTime", "modifiedDateTime", "identitySources", *_BETA):
        if name in body:
            raise bad_request(f"The property '{name}' cannot be updated.")
    _check_names(body, _WRITABLE, call.version)
    _check_values(body)
    return {name: body[name] for name in body if name in _WRITABLE}


def read_subject(call: Call) -> None:
    """The example on the page "Add connectedOrganization" leaves the source without its values,
    so only names and types are looked at. Raises GraphError."""
    body = call.json_object()
    _check_names(body, {*_WRITABLE, "identitySources"}, call.version)
    _check_values({name: body[name] for name in body if name in {"displayName", "description"}})


def _check_names(body: dict[str, Any], allowed: Iterable[str], version: str) -> None:
    known = {"@odata.type", *allowed}
    if version == "beta":
        known |= _BETA
    for name in body:
        if name.partition("@")[0] in SPONSOR_KINDS:
            raise bad_request(f"'{name}' cannot be set here.", "inlineSponsors")
        if name not in known:
            raise unknown_property(name, _TYPE)
    if type_named(body.get("@odata.type", _TYPE)) != _TYPE:
        raise bad_request(f"'{body['@odata.type']}' is not a {NAMESPACE}{_TYPE}.")


def _check_values(body: dict[str, Any]) -> None:
    for name in ("displayName", "description"):
        if name in body and not isinstance(body[name], str):
            raise bad_request(f"The property '{name}' must be a string.")
    if not body.get("displayName", "named").strip():
        raise bad_request("The property 'displayName' must not be empty.")
    if "state" in body and body["state"] not in _STATES:
        raise bad_request(f"'{body['state']}' is not a state of a connected organization.")


def _read_sources(value: object) -> IdentitySource:
    if not isinstance(value, list) or len(value) != 1:
        text = "A connected organization is created with exactly one identity source."
        raise bad_request(text, "secondSource" if value else None)
    return read_source(value[0])
