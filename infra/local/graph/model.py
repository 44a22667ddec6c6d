"""Graph's model of a connected organization and of what hangs on it, as its CSDL has it.

``tests/contract/test_graph_schema.py`` holds this to the metadata that Graph publishes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

NAMESPACE = "microsoft.graph."
_ALIAS = "graph."

type Kind = Literal["Entity", "Complex", "Enum", "Primitive"]

STRING = "Edm.String"
DATE_TIME = "Edm.DateTimeOffset"
BOOLEAN = "Edm.Boolean"
STATE = f"{NAMESPACE}connectedOrganizationState"
SOCIAL_TYPE = f"{NAMESPACE}socialIdentitySourceType"
SOURCE = f"{NAMESPACE}identitySource"
ORGANIZATION = f"{NAMESPACE}connectedOrganization"
DIRECTORY_OBJECT = f"{NAMESPACE}directoryObject"


@dataclass(frozen=True, slots=True)
class Property:
    """``type_name`` of a collection is that of its elements."""

    name: str
    type_name: str
    is_collection: bool = False
    is_navigation: bool = False
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Type:
    """``members`` are those of an enumeration, with their values."""

    name: str
    kind: Kind
    base: str | None = None
    own: tuple[Property, ...] = ()
    abstract: bool = False
    is_open: bool = False
    members: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Model:
    types: Mapping[str, Type]
    _folded: dict[str, Type] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._folded.update((name.casefold(), found) for name, found in self.types.items())

    def find(self, name: str) -> Type | None:
        """In a query: by the namespace or its alias, in any case."""
        return self._folded.get(_full_name(name.casefold()))

    def find_exactly(self, name: str) -> Type | None:
        """In a body: in the model's own letters."""
        return self.types.get(_full_name(name))

    def property(self, type_name: str, name: str) -> Property | None:
        """In any case, as OData's library looks names up unless told otherwise."""
        folded = name.casefold()
        for known in self.properties(type_name):
            if known.name.casefold() == folded:
                return known
        return None

    def properties(self, type_name: str) -> Iterator[Property]:
        for known in self.ancestry(type_name):
            yield from known.own

    def ancestry(self, type_name: str) -> Iterator[Type]:
        """The type itself, its base, the base of that and so on."""
        known = self.types.get(type_name)
        while known is not None:
            yield known
            known = self.types.get(known.base) if known.base else None

    def is_a(self, type_name: str, base: str) -> bool:
        return any(known.name == base for known in self.ancestry(type_name))


def _full_name(name: str) -> str:
    return NAMESPACE + name.removeprefix(_ALIAS) if name.startswith(_ALIAS) else name


def _texts(*names: str) -> tuple[Property, ...]:
    return tuple(Property(name, STRING) for name in names)


def _source(name: str, *properties: Property) -> Type:
    own = (*_texts("displayName"), *properties)
    return Type(NAMESPACE + name, "Complex", base=SOURCE, own=own)


def _sponsors(name: str) -> Property:
    return Property(name, DIRECTORY_OBJECT, is_collection=True, is_navigation=True)


_ENTITY = Type(
    f"{NAMESPACE}entity",
    "Entity",
    own=(Property("id", STRING, nullable=False),),
    abstract=True,
)
_ORGANIZATION = (
    *_texts("displayName", "description"),
    Property("createdDateTime", DATE_TIME),
    Property("modifiedDateTime", DATE_TIME),
    Property("state", STATE),
    Property("identitySources", SOURCE, is_collection=True),
    _sponsors("internalSponsors"),
    _sponsors("externalSponsors"),
)
_TYPES = (
    *(Type(f"Edm.{name}", "Primitive") for name in ("String", "Boolean", "DateTimeOffset")),
    Type(STATE, "Enum", members={"configured": 0, "proposed": 1, "unknownFutureValue": 2}),
    Type(SOCIAL_TYPE, "Enum", members={"facebook": 1, "unknownFutureValue": 2}),
    _ENTITY,
    Type(SOURCE, "Complex", abstract=True),
    _source("azureActiveDirectoryTenant", *_texts("tenantId")),
    _source(
        "crossCloudAzureActiveDirectoryTenant",
        *_texts("tenantId"),
        Property("cloudInstance", STRING, nullable=False),
    ),
    _source("domainIdentitySource", *_texts("domainName")),
    _source("externalDomainFederation", *_texts("domainName", "issuerUri")),
    _source(
        "socialIdentitySource", Property("socialIdentitySourceType", SOCIAL_TYPE, nullable=False)
    ),
    Type(
        DIRECTORY_OBJECT,
        "Entity",
        base=_ENTITY.name,
        own=(Property("deletedDateTime", DATE_TIME),),
        is_open=True,
    ),
    Type(
        f"{NAMESPACE}user",
        "Entity",
        base=DIRECTORY_OBJECT,
        own=_texts("displayName", "userPrincipalName"),
        is_open=True,
    ),
    Type(
        f"{NAMESPACE}group",
        "Entity",
        base=DIRECTORY_OBJECT,
        own=_texts("displayName"),
        is_open=True,
    ),
)


def _model(*further: Property) -> Model:
    organization = Type(ORGANIZATION, "Entity", base=_ENTITY.name, own=(*_ORGANIZATION, *further))
    return Model({known.name: known for known in (*_TYPES, organization)})


MODELS: Mapping[str, Model] = {
    "v1.0": _model(),
    "beta": _model(*_texts("createdBy", "modifiedBy")),
}
