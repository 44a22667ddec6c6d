"""Identity sources: the domain or tenant that a connected organization represents.

Each type that can be asked for has its model, its row in SOURCE_KINDS and its place in the union
IdentitySource. CONTRIBUTING.md says how one is added.

Source: Microsoft Graph, "identitySource resource type" and the types derived from it.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from connorg.contract.clouds import Cloud
from connorg.contract.domains import normalise_domain
from connorg.contract.fields import Column
from connorg.contract.model import GUID, Model, is_asked

SourceType = Literal[
    "domainIdentitySource",
    "externalDomainFederation",
    "azureActiveDirectoryTenant",
    "crossCloudAzureActiveDirectoryTenant",
]
SOURCE_TYPES: tuple[SourceType, ...] = get_args(SourceType)
_NAMESPACE = "#microsoft.graph."


@dataclass(frozen=True)
class SourceKind:
    """What follows from the type of an identity source. Fields go by their names in Python."""

    type: SourceType
    prefix: str
    """What natural keys begin with. It is never changed: the ids of onboardings hold its hash."""
    key: tuple[str, ...]
    """The fields of the natural key. The last one names the partner: Graph is searched by it."""
    hints: tuple[str, ...] = ()
    """Further fields by which it is recognized if its type is missing."""
    column: Column | None = None
    """The spreadsheet's column for the partner's name; None: no spreadsheet can ask for it."""

    @cached_property
    def odata_type(self) -> str:
        return f"{_NAMESPACE}{self.type}"

    @cached_property
    def wire_name(self) -> str:
        """The field that names the partner, as the wire has it."""
        return to_camel(self.key[-1])

    @cached_property
    def named_by(self) -> frozenset[str]:
        """Return the fields that it is known by, as the wire has them."""
        return frozenset(map(to_camel, (*self.key, *self.hints)))

    @cached_property
    def key_fields(self) -> frozenset[str]:
        """Return the fields that it can't be without, as the wire has them."""
        return frozenset(map(to_camel, self.key))

    def natural_key(self, values: Iterable[str]) -> str:
        """Return what is the same for all requests for one organization. `values`: of `key`."""
        # Graph may give domains and ids back in another case than they were sent in.
        return ":".join((self.prefix, *(value.lower() for value in values)))


# Where a source says no type, a row outweighs those above it: a tenant the domain beside it.
SOURCE_KINDS: Mapping[str, SourceKind] = {
    kind.type: kind
    for kind in (
        SourceKind(
            "domainIdentitySource",
            prefix="domain",
            key=("domain_name",),
            column=Column("Domain"),
        ),
        SourceKind(
            "externalDomainFederation",
            prefix="federation",
            key=("domain_name",),
            hints=("issuer_uri",),
        ),
        SourceKind(
            "azureActiveDirectoryTenant",
            prefix="tenant",
            key=("tenant_id",),
            column=Column("Tenant ID"),
        ),
        SourceKind(
            "crossCloudAzureActiveDirectoryTenant",
            prefix="crosscloud",
            key=("cloud_instance", "tenant_id"),
        ),
    )
}
# The fields that tell sources apart, as the wire has them.
NAMING_FIELDS = frozenset[str]().union(*(kind.named_by for kind in SOURCE_KINDS.values()))


def natural_keys_of_domain(domain: str) -> tuple[str, ...]:
    """Return each natural key that names this domain."""
    return tuple(
        kind.natural_key((domain,))
        for kind in SOURCE_KINDS.values()
        if kind.key == ("domain_name",)
    )


def natural_keys_of_tenant(tenant_id: str) -> tuple[str, ...]:
    """Return each natural key that names this tenant, in whichever cloud."""
    clouds = {cloud.instance for cloud in Cloud}
    return (
        *(k.natural_key((tenant_id,)) for k in SOURCE_KINDS.values() if k.key == ("tenant_id",)),
        *(
            kind.natural_key((cloud, tenant_id))
            for kind in SOURCE_KINDS.values()
            if kind.key == ("cloud_instance", "tenant_id")
            for cloud in sorted(clouds)
        ),
    )


def typed(source: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]] | None:
    """Say an identity source's type by what it names; and the fields that count for nothing then.

    None: it names nothing.
    """
    for kind in reversed([*SOURCE_KINDS.values()]):
        if kind.named_by <= source.keys():
            unused = tuple(name for name in source if name in NAMING_FIELDS - kind.named_by)
            rest = {name: value for name, value in source.items() if name not in unused}
            return {"@odata.type": kind.odata_type, **rest}, unused
    return None


def note_of_unused(used: str, unused: Mapping[str, str]) -> str | None:
    """Say which of several names of a partner was used; None: there was but one."""
    if not unused:
        return None
    left = " and ".join(f"{name} ({value})" for name, value in unused.items())
    return f"{used} is used, not {left}."


def source_type(value: object) -> str | None:
    """Name the identity source's type without prefix: `domainIdentitySource`."""
    odata_type = value.get("@odata.type") if isinstance(value, Mapping) else None
    if odata_type is None:
        odata_type = getattr(value, "odata_type", None)
    if not isinstance(odata_type, str):
        return None
    return odata_type.removeprefix("#").removeprefix("microsoft.graph.")


def natural_key_of(source: object) -> str | None:
    """Return the natural key of an identity source, as it is requested or as Graph returns it.

    None: it can't be requested, or a part of the key is missing.
    """
    kind = SOURCE_KINDS.get(source_type(source) or "")
    if kind is None:
        return None
    values = [getattr(source, name) for name in kind.key]
    return kind.natural_key(values) if all(values) else None


_NIL_GUID = "00000000-0000-0000-0000-000000000000"
# Of Unicode's property Bidi_Control, and the separators at which a viewer may break a line.
_BIDI_EMBEDDINGS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BIDI_MARKS_AND_BREAKS = frozenset("\u061c\u200e\u200f\u2028\u2029")

_ISSUER_SCHEMES = ("https", "http", "urn")  # of names, which is never called

NAME_LENGTH = 256  # characters; Graph publishes no limit, Entra's display names have this one


def _tenant_id(text: str) -> str:
    guid = text.strip().lower()
    if not GUID.fullmatch(guid) or guid == _NIL_GUID:
        raise ValueError("must be a tenant id, a GUID such as 72f988bf-86f1-41af-91ab-2d7cd011db47")
    return guid


def one_line(text: str, info: ValidationInfo) -> str:
    """Refuse what could forge a log line or turn a name around on a screen."""
    text = text.strip()
    refused = _BIDI_EMBEDDINGS | (_BIDI_MARKS_AND_BREAKS if is_asked(info) else frozenset())
    if any(unicodedata.category(c) == "Cc" or c in refused for c in text):
        raise ValueError("must not hold control characters")
    return text


def _issuer_uri(text: str, info: ValidationInfo) -> str:
    text = one_line(text, info)
    scheme, colon, rest = text.partition(":")
    if " " in text or not colon:
        raise ValueError("must be the issuer URI of the partner's identity provider")
    if is_asked(info) and (scheme.lower() not in _ISSUER_SCHEMES or not rest.strip("/")):
        raise ValueError(f"must begin with {', '.join(_ISSUER_SCHEMES)}")
    return text


# What `one_line` lets through, for those who read the schema: as far as each dialect of patterns
# can say it. The controls of direction are left to `one_line`.
ONE_LINE = {"pattern": r"^[^\x00-\x1f\x7f-\x9f]*$"}
Name = Annotated[
    str, Field(max_length=NAME_LENGTH, json_schema_extra={**ONE_LINE}), AfterValidator(one_line)
]
DomainName = Annotated[
    str,
    Field(max_length=1024, json_schema_extra={"format": "idn-hostname"}),
    AfterValidator(normalise_domain),
]
TenantId = Annotated[str, Field(json_schema_extra={"format": "uuid"}), AfterValidator(_tenant_id)]


class _Source(Model):
    display_name: Name | None = None
    odata_type: str = Field(alias="@odata.type")

    @property
    def kind(self) -> SourceKind:
        return SOURCE_KINDS[self.odata_type.removeprefix(_NAMESPACE)]

    @property
    def natural_key(self) -> str:
        """What makes two sources the same organization."""
        return self.kind.natural_key(getattr(self, name) for name in self.kind.key)

    @property
    def partner_name(self) -> str:
        """The domain or the tenant id."""
        name: str = getattr(self, self.kind.key[-1])
        return name

    @field_validator("odata_type", mode="before")
    @classmethod
    def _with_hash(cls, value: object) -> object:
        """Documents and callers leave the `#` out now and then; Graph itself writes it."""
        return f"#{value}" if isinstance(value, str) and not value.startswith("#") else value


class DomainIdentitySource(_Source):
    odata_type: Literal["#microsoft.graph.domainIdentitySource"] = Field(alias="@odata.type")
    domain_name: DomainName


class ExternalDomainFederation(_Source):
    odata_type: Literal["#microsoft.graph.externalDomainFederation"] = Field(alias="@odata.type")
    domain_name: DomainName
    issuer_uri: (
        Annotated[
            str,
            Field(max_length=2048, json_schema_extra={"format": "uri"}),
            AfterValidator(_issuer_uri),
        ]
        | None
    ) = None


class AzureActiveDirectoryTenant(_Source):
    odata_type: Literal["#microsoft.graph.azureActiveDirectoryTenant"] = Field(alias="@odata.type")
    tenant_id: TenantId


class CrossCloudAzureActiveDirectoryTenant(_Source):
    odata_type: Literal["#microsoft.graph.crossCloudAzureActiveDirectoryTenant"] = Field(
        alias="@odata.type"
    )
    tenant_id: TenantId
    cloud_instance: Literal[
        "microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn"
    ]


IdentitySource = Annotated[
    Annotated[DomainIdentitySource, Tag("domainIdentitySource")]
    | Annotated[ExternalDomainFederation, Tag("externalDomainFederation")]
    | Annotated[AzureActiveDirectoryTenant, Tag("azureActiveDirectoryTenant")]
    | Annotated[CrossCloudAzureActiveDirectoryTenant, Tag("crossCloudAzureActiveDirectoryTenant")],
    Discriminator(source_type),
]
