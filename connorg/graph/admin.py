"""The organization admin on the official SDK."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlsplit

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.graph_service_client import GraphServiceClient

from connorg.contract.onboarding import OnboardingError
from connorg.contract.organization import ConnectedOrganization, SponsoredOrganization
from connorg.contract.problems import ErrorCode
from connorg.contract.sponsors import SponsorKind
from connorg.core.domain.outcomes import Refused, Setback
from connorg.core.ports import OrganizationFilter, OrganizationPage
from connorg.graph.filters import by_partner, equals
from connorg.graph.meanings import Call
from connorg.graph.objects import GraphObjects
from connorg.graph.pages import SponsoredPage, at
from connorg.graph.search import Page, Search
from connorg.graph.sender import Sender
from connorg.graph.sponsors import sponsors_of

_QUERY = re.compile(r"[!-~]{0,8192}")  # what can stand in an address; httpx raises at the rest
_ENTITLEMENTS = "identityGovernance/entitlementManagement"
_MOST_PAGES = 50
_WITH_SPONSORS = f"$expand={','.join(SponsorKind)}"
_STALE = OnboardingError(
    code=ErrorCode.REFUSED_BY_GRAPH,
    message="The continuation token is none that was given out, or it is no longer good.",
    action="Start again without it.",
)


class GraphOrganizationAdmin:
    """See ports.OrganizationAdmin. `root`: the cloud's, without a version."""

    def __init__(self, client: GraphServiceClient, sender: Sender, root: str, version: str) -> None:
        self._organizations = (
            client.identity_governance.entitlement_management.connected_organizations
        )
        self._sender = sender
        self._root = root
        self._version = version
        self._objects = GraphObjects(client, sender, f"{root}/{version}")
        self._search = Search(self._objects, sender.clock)

    async def list(
        self, which: OrganizationFilter, top: int, continuation: str | None
    ) -> OrganizationPage | Setback:
        """Cut Graph's pages into ours: how full they are, and whether some are, is Graph's."""
        query, skipped = _filter_query(which), 0
        if continuation is not None:
            read = _read_token(continuation)
            if read is None:
                return Refused(_STALE)
            skipped, query = read
        for _ in range(_MOST_PAGES):
            page = await self._objects.pages.organizations(at(self._address(query)))
            if not isinstance(page, Page):
                is_stale = isinstance(page, Refused) and continuation is not None
                return Refused(_STALE) if is_stale else page
            let_through = [held for held in page.value if lets_through(which, held)]
            left = let_through[skipped : skipped + top]
            if len(let_through) > skipped + top:
                return OrganizationPage(tuple(left), _token(skipped + top, query))
            following = urlsplit(page.next_link).query if page.next_link else None
            if left or following is None:
                if left or continuation is not None or not _is_exact(which):
                    after = None if following is None else _token(0, following)
                    return OrganizationPage(tuple(left), after)
                return await self._among_all(which, top)
            query, skipped = following, 0
        return OrganizationPage((), _token(0, query))

    async def list_sponsored(
        self,
        top: int,  # noqa: ARG002  Graph's page does: `$top` may be a limit
        continuation: str | None,
    ) -> OrganizationPage[SponsoredOrganization] | Setback:
        read = (0, _WITH_SPONSORS) if continuation is None else _read_token(continuation)
        if read is None:
            return Refused(_STALE)
        page = await self._objects.pages.sponsored(at(self._address(read[1])))
        if not isinstance(page, SponsoredPage):
            return page
        following = urlsplit(page.next_link).query if page.next_link else None
        return OrganizationPage(page.value, None if following is None else _token(0, following))

    async def _among_all(self, which: OrganizationFilter, top: int) -> OrganizationPage | Setback:
        """Answer where a filter shows nothing: it may have been too exact about letters."""
        held = await self._search.all()
        if not isinstance(held, tuple):
            return held
        return OrganizationPage(
            tuple([one for one in held if lets_through(which, one)][:top]), None
        )

    def _address(self, query: str) -> str:
        # Only the query is a token's: whatever a caller makes of it, it is this collection's.
        address = f"{self._root}/{self._version}/{_ENTITLEMENTS}/connectedOrganizations"
        return f"{address}?{query}" if query else address

    async def delete(self, organization_id: str) -> Setback | None:
        item = self._organizations.by_connected_organization_id(organization_id)
        return await self._change(Call.DELETE, item.to_delete_request_information())

    async def remove_sponsor(
        self, organization_id: str, kind: SponsorKind, object_id: str
    ) -> Setback | None:
        item = self._organizations.by_connected_organization_id(organization_id)
        sponsor = sponsors_of(item, kind).by_directory_object_id(object_id)
        return await self._change(Call.REFER, sponsor.ref.to_delete_request_information())

    async def add_to_subject(
        self, request_id: str, resource_role_id: str, body: dict[str, Any]
    ) -> Setback | None:
        return await self._change(
            Call.SUBJECT, _json(Method.POST, self._subject(request_id, resource_role_id), body)
        )

    async def set_on_subject(
        self, request_id: str, resource_role_id: str, organization_id: str
    ) -> Setback | None:
        address = f"{self._root}/beta/{_ENTITLEMENTS}/connectedOrganizations/{organization_id}"
        subject = self._subject(request_id, resource_role_id)
        return await self._change(Call.SUBJECT, _json(Method.PUT, subject, {"@odata.id": address}))

    async def _change(self, call: Call, ask: RequestInformation) -> Setback | None:
        answer = await self._objects.judged(await self._sender.change(call, ask))
        return None if isinstance(answer, bytes) else answer

    def _subject(self, request_id: str, resource_role_id: str) -> str:
        """Return the address of "Add connectedOrganization", which exists in beta alone."""
        return (
            f"{self._root}/beta/{_ENTITLEMENTS}"
            f"/accessPackageAssignmentRequests/{quote(request_id, safe='')}"
            "/accessPackageAssignment/accessPackageAssignmentResourceRoles"
            f"/{quote(resource_role_id, safe='')}/accessPackageSubject/connectedOrganization/$ref"
        )


def _filter_query(which: OrganizationFilter) -> str:
    clauses = [
        equals("displayName", which.display_name) if which.display_name else None,
        equals("state", which.state) if which.state else None,
        by_partner("domainIdentitySource", which.domain_name) if which.domain_name else None,
        by_partner("azureActiveDirectoryTenant", which.tenant_id) if which.tenant_id else None,
    ]
    odata_filter = " and ".join(clause for clause in clauses if clause)
    return f"$filter={quote(odata_filter, safe='')}" if odata_filter else ""


def lets_through(which: OrganizationFilter, organization: ConnectedOrganization) -> bool:
    """Whether an organization is what a filter asks for, in whatever letters."""
    held = organization.identity_sources
    return (
        _is(which.display_name, (organization.display_name,))
        and _is(which.state, (organization.state,))
        and _is(which.domain_name, [source.domain_name for source in held])
        and _is(which.tenant_id, [source.tenant_id for source in held])
    )


def _is(wanted: str | None, held: Iterable[str | None]) -> bool:
    return not wanted or wanted.casefold() in {(name or "").casefold() for name in held}


def _is_exact(which: OrganizationFilter) -> bool:
    """Whether letters can make the filter miss what it asks for."""
    return bool(which.display_name or which.domain_name or which.tenant_id)


def _json(method: Method, url: str, body: dict[str, Any]) -> RequestInformation:
    """Make a request for which the SDK has no builder."""
    ask = RequestInformation()
    ask.http_method = method
    ask.url = url
    ask.set_stream_content(json.dumps(body).encode(), "application/json")
    return ask


def _token(skipped: int, query: str) -> str:
    text = f"{_sum(skipped, query)}.{skipped}.{query}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, str] | None:
    """Read a continuation token: how many of a page were shown, and its query."""
    try:
        text = base64.urlsafe_b64decode(f"{token}==").decode("ascii")
        given_sum, skipped, query = text.split(".", 2)
        known = _QUERY.fullmatch(query) and given_sum == _sum(int(skipped), query)
        return (int(skipped), query) if known else None
    except (binascii.Error, ValueError):
        return None


def _sum(skipped: int, query: str) -> str:
    """Return a checksum that shows a token that was cut or made up. It protects nothing."""
    return hashlib.sha256(f"{skipped}.{query}".encode()).hexdigest()[:16]
