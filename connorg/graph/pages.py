"""Lists in pages: each is followed by its nextLink until there is none, however full it was.

A nextLink that leads to another host, or to its own page, makes the answer unreadable.
"""

from typing import Annotated, Any
from urllib.parse import parse_qsl, urlsplit

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
        page = await self._read(Call.LIST, ask, _Organizations)
        return Page(page.value, page.next_link) if isinstance(page, _Organizations) else page

    async def sponsored(self, ask: RequestInformation) -> SponsoredPage | Setback:
        """Read one page of organizations with their sponsors."""
        return await self._read(Call.LIST, ask, SponsoredPage)

    async def sponsors(self, ask: RequestInformation) -> tuple[SponsorObject, ...] | Setback:
        """Read all pages."""
        held: list[SponsorObject] = []
        for _ in range(_MOST_PAGES):
            page = await self._read(Call.SPONSORS, ask, _Sponsors)
            if not isinstance(page, _Sponsors):
                return page
            held += page.value
            if page.next_link is None:
                return tuple(held)
            ask = at(page.next_link, ask.url_template)
        return unreadable()

    async def _read[P: _Page](
        self, call: Call, ask: RequestInformation, model: type[P]
    ) -> P | Setback:
        page = await self._sender.read(call, ask, model)
        if not isinstance(page, model) or page.next_link is None:
            return page
        leads_away = _origin(page.next_link) != self._origin
        leads_nowhere = _query(page.next_link) == _query(ask.url)
        return unreadable() if leads_away or leads_nowhere else page


def at(address: str, template: str | None) -> RequestInformation:
    """Make the request for a page by its address. Telemetry names the call by the template."""
    ask = RequestInformation()
    ask.http_method = Method.GET
    ask.url_template = template
    ask.url = address
    ask.headers.try_add("Accept", "application/json")
    return ask


def _query(address: str) -> list[tuple[str, str]]:
    return parse_qsl(address.partition("?")[2])


def _origin(address: str) -> tuple[Any, ...]:
    try:
        parts = urlsplit(address)
        return parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        return ()
