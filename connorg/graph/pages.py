"""Lists in pages: each is followed by its nextLink until there is none, however full it was."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from pydantic import BeforeValidator, Field

from connorg.contract.model import Model
from connorg.contract.organization import ConnectedOrganization, SponsoredOrganization
from connorg.contract.sponsors import SponsorObject
from connorg.core.domain.outcomes import Setback
from connorg.graph.meanings import Call
from connorg.graph.search import Page
from connorg.graph.sender import Sender
from connorg.graph.setbacks import unreadable

_MOST_PAGES = 500


def _with_ids(value: object) -> object:
    """Leave out what has no id: it hides no others."""
    if not isinstance(value, list):
        return value
    return [item for item in value if isinstance(item, dict) and isinstance(item.get("id"), str)]


class _Page(Model, extra="ignore"):
    next_link: str | None = Field(None, alias="@odata.nextLink")


class _Organizations(_Page):
    value: Annotated[tuple[ConnectedOrganization, ...], BeforeValidator(_with_ids)]


class SponsoredPage(_Page):
    value: Annotated[tuple[SponsoredOrganization, ...], BeforeValidator(_with_ids)]


class _Sponsors(_Page):
    value: Annotated[tuple[SponsorObject, ...], BeforeValidator(_with_ids)]


class Pages:
    """Reads pages. `root`: the cloud's; a nextLink that leads elsewhere is not followed."""

    def __init__(self, sender: Sender, root: str) -> None:
        self._sender = sender
        self._origin = _origin(root)

    async def organizations(self, ask: RequestInformation) -> Page | Setback:
        """Read one page."""
        page = await self._sender.read(Call.LIST, ask, _Organizations)
        if not isinstance(page, _Organizations):
            return page
        if page.next_link is not None and _origin(page.next_link) != self._origin:
            return unreadable()
        return Page(page.value, page.next_link)

    async def sponsored(self, ask: RequestInformation) -> SponsoredPage | Setback:
        """Read one page of organizations with their sponsors."""
        page = await self._sender.read(Call.LIST, ask, SponsoredPage)
        if not isinstance(page, SponsoredPage):
            return page
        leads_away = page.next_link is not None and _origin(page.next_link) != self._origin
        return unreadable() if leads_away else page

    async def sponsors(self, ask: RequestInformation) -> tuple[SponsorObject, ...] | Setback:
        """Read all pages."""
        held: list[SponsorObject] = []
        for _ in range(_MOST_PAGES):
            page = await self._sender.read(Call.SPONSORS, ask, _Sponsors)
            if not isinstance(page, _Sponsors):
                return page
            held += page.value
            if page.next_link is None:
                return tuple(held)
            if _origin(page.next_link) != self._origin:
                break
            ask = at(page.next_link)
        return unreadable()


def at(address: str) -> RequestInformation:
    """Make the request for a page by its address."""
    ask = RequestInformation()
    ask.http_method = Method.GET
    ask.url = address
    ask.headers.try_add("Accept", "application/json")
    return ask


def _origin(address: str) -> tuple[Any, ...]:
    try:
        parts = urlsplit(address)
        return parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        return ()
