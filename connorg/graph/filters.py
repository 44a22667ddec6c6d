"""OData filters for connected organizations."""

from connorg.contract.identity_sources import SOURCE_KINDS, IdentitySource, SourceType


def by_source(source: IdentitySource) -> str:
    return by_partner(source.kind.type, source.partner_name)


def by_partner(source_type: SourceType, name: str) -> str:
    """Find organizations with a source of this type that names this domain or tenant."""
    path = f"is:is/microsoft.graph.{source_type}/{SOURCE_KINDS[source_type].wire_name}"
    return f"identitySources/any({equals(path, name)})"


def equals(path: str, value: str) -> str:
    escaped = value.replace("'", "''")
    return f"{path} eq '{escaped}'"
