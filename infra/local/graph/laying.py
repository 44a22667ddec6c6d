"""``/_emulator/organizations``: what the tenant holds, as Graph would give it with ``$expand``,
whatever a create would refuse. ``PUT`` sets all of it, and ``POST`` adds to it."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, TypeAdapter

from infra.local.graph.directory import DirectoryObject
from infra.local.graph.model import NAMESPACE
from infra.local.graph.organizations import SPONSOR_KINDS, Organization
from infra.local.graph.state import State
from infra.local.graph.wire import ControlModel


class _Laid(ControlModel):
    id: str
    display_name: str | None = None
    description: str | None = None
    created_date_time: str | None = None
    modified_date_time: str | None = None
    state: str | None = None
    identity_sources: list[dict[str, Any] | None] | None = Field(default=[])
    created_by: str | None = None
    modified_by: str | None = None
    internal_sponsors: list[dict[str, Any]] = Field(default=[])
    external_sponsors: list[dict[str, Any]] = Field(default=[])


_LAID = TypeAdapter(list[_Laid])
_OBJECTS = TypeAdapter(list[dict[str, Any]])


def lay(state: State, value: object) -> None:
    """Let these be all organizations. Raise pydantic.ValidationError."""
    state.organizations.lay(_read(state, value))


def lay_more(state: State, value: object) -> None:
    """Add these to those that are there. Raise pydantic.ValidationError."""
    state.organizations.lay([*state.organizations, *_read(state, value)])


def _read(state: State, value: object) -> list[Organization]:
    """Return the organizations. Their sponsors become known to the directory."""
    organizations = []
    plain = [
        {name: held for name, held in item.items() if "@odata." not in name}
        for item in _OBJECTS.validate_python(value)
    ]
    for laid in _LAID.validate_python(plain):
        entity = laid.model_dump(by_alias=True)
        sponsors = {
            kind: [_learnt(state, item) for item in entity.pop(kind)] for kind in SPONSOR_KINDS
        }
        organizations.append(Organization(entity, stored_at=float("-inf"), sponsors=sponsors))
    return organizations


def _learnt(state: State, item: Mapping[str, Any]) -> str:
    type_name = str(item.get("@odata.type", "directoryObject")).removeprefix(f"#{NAMESPACE}")
    properties = {name: value for name, value in item.items() if name != "@odata.type"}
    found = DirectoryObject(type_name, properties)
    state.directory.learn(found)
    return found.id
