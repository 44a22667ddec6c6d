"""Sponsors in Graph are references: an `@odata.id` names a user or group by its address."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from connorg.contract.sponsors import SponsorKind
from connorg.core.domain.outcomes import Refused

if TYPE_CHECKING:
    from msgraph.generated.models.reference_create import ReferenceCreate


def reference_to(base: str, object_type: str, name: str) -> "ReferenceCreate":
    """`base` must be this cloud's and name the version, or Graph refuses the reference."""
    from msgraph.generated.models.reference_create import ReferenceCreate  # noqa: PLC0415

    return ReferenceCreate(odata_id=f"{base}/{object_type}/{quote(name, safe='@')}")


def sponsors_of(item: Any, kind: SponsorKind) -> Any:
    """Return the SDK's builder: the two kinds have classes of their own, of one shape."""
    return item.internal_sponsors if kind is SponsorKind.INTERNAL else item.external_sponsors


def is_held_already(refused: Refused) -> bool:
    """Whether a reference was refused because it is there: the directory has no code for it.

    Its sentence is "One or more added object references already exist for …".
    """
    return "references already exist" in refused.error.message
