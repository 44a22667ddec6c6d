"""Identity sources: the domain or tenant that a connected organization stands for.

Source: Microsoft Graph, "identitySource resource type" and the types derived from it.
"""

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator

from connorg.contract.domains import normalise_domain
from connorg.contract.model import GUID, Model

_NIL_GUID = "00000000-0000-0000-0000-000000000000"
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

NAME_LENGTH = 256  # characters; Graph publishes no limit, Entra's display names have this one


def _tenant_id(text: str) -> str:
    guid = text.strip().lower()
    if not GUID.fullmatch(guid) or guid == _NIL_GUID:
        raise ValueError("must be a tenant id, a GUID such as 72f988bf-86f1-41af-91ab-2d7cd011db47")
    return guid


def one_line(text: str) -> str:
    """Refuse what could forge a log line or turn a name around on a screen."""
    text = text.strip()
    if any(unicodedata.category(c) == "Cc" or c in _BIDI_CONTROLS for c in text):
        raise ValueError("must not hold control characters")
    return text


def _issuer_uri(text: str) -> str:
    text = one_line(text)
    if " " in text or ":" not in text:
        raise ValueError("must be the issuer URI of the partner's identity provider")
    return text


# What `one_line` lets through, for those who read the schema.
ONE_LINE = {"pattern": r"^[^\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]*$"}
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

    @field_validator("odata_type", mode="before", check_fields=False)
    @classmethod
    def _with_hash(cls, value: object) -> object:
        """Documents and callers leave the `#` out now and then; Graph itself writes it."""
        return f"#{value}" if isinstance(value, str) and not value.startswith("#") else value


class DomainIdentitySource(_Source):
    odata_type: Literal["#microsoft.graph.domainIdentitySource"] = Field(alias="@odata.type")
    domain_name: DomainName

    @property
    def natural_key(self) -> str:
        return f"domain:{self.domain_name}"


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

    @property
    def natural_key(self) -> str:
        return f"federation:{self.domain_name}"


class AzureActiveDirectoryTenant(_Source):
    odata_type: Literal["#microsoft.graph.azureActiveDirectoryTenant"] = Field(alias="@odata.type")
    tenant_id: TenantId

    @property
    def natural_key(self) -> str:
        return f"tenant:{self.tenant_id}"


class CrossCloudAzureActiveDirectoryTenant(_Source):
    odata_type: Literal["#microsoft.graph.crossCloudAzureActiveDirectoryTenant"] = Field(
        alias="@odata.type"
    )
    tenant_id: TenantId
    cloud_instance: Literal[
        "microsoftonline.com", "microsoftonline.us", "partner.microsoftonline.cn"
    ]

    @property
    def natural_key(self) -> str:
        return f"crosscloud:{self.cloud_instance}:{self.tenant_id}"


def source_type(value: object) -> str | None:
    """Name the identity source's type without prefix: `domainIdentitySource`."""
    odata_type = value.get("@odata.type") if isinstance(value, Mapping) else None
    if odata_type is None:
        odata_type = getattr(value, "odata_type", None)
    if not isinstance(odata_type, str):
        return None
    return odata_type.removeprefix("#").removeprefix("microsoft.graph.")


SourceType = Literal[
    "domainIdentitySource",
    "externalDomainFederation",
    "azureActiveDirectoryTenant",
    "crossCloudAzureActiveDirectoryTenant",
]
SOURCE_TYPES: tuple[str, ...] = get_args(SourceType)

IdentitySource = Annotated[
    Annotated[DomainIdentitySource, Tag("domainIdentitySource")]
    | Annotated[ExternalDomainFederation, Tag("externalDomainFederation")]
    | Annotated[AzureActiveDirectoryTenant, Tag("azureActiveDirectoryTenant")]
    | Annotated[CrossCloudAzureActiveDirectoryTenant, Tag("crossCloudAzureActiveDirectoryTenant")],
    Discriminator(source_type),
]
