"""Organizations as Graph lists and returns them."""

from dataclasses import replace

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.identity_governance.entitlement_management.connected_organizations import (
    connected_organizations_request_builder as builder,
)
from msgraph.graph_service_client import GraphServiceClient

from connorg.contract.organization import ConnectedOrganization
from connorg.contract.problems import ErrorCode
from connorg.core.domain.outcomes import Blocked, Later, Refused, Setback
from connorg.graph.meanings import Call
from connorg.graph.pages import Pages, at
from connorg.graph.search import Page
from connorg.graph.sender import Sender
from connorg.graph.setbacks import Denied

_Query = builder.ConnectedOrganizationsRequestBuilder
_ADVICE = (
    "The app has access to other objects. Check in Entra why not to this one, such as an"
    " administrative unit with restricted management or a lock."
)


class GraphObjects:
    """See search.Lister. `base`: a cloud's root and the version."""

    def __init__(self, client: GraphServiceClient, sender: Sender, base: str) -> None:
        self._organizations = (
            client.identity_governance.entitlement_management.connected_organizations
        )
        self._sender = sender
        self.pages = Pages(sender, base)

    async def page(self, odata_filter: str | None, next_link: str | None) -> Page | Setback:
        if next_link is not None:
            return await self.pages.organizations(self.at(next_link))
        # Without $top, which may be a limit: then nothing would say that there is more.
        return await self._page(
            _Query.ConnectedOrganizationsRequestBuilderGetQueryParameters(filter=odata_filter)
        )

    def at(self, address: str) -> RequestInformation:
        """Make the request for a page of the collection by its address."""
        return at(address, self._organizations.url_template)

    async def read(self, organization_id: str) -> ConnectedOrganization | Setback:
        item = self._organizations.by_connected_organization_id(organization_id)
        ask = item.to_get_request_information()
        return await self.judged(await self._sender.read(Call.READ, ask, ConnectedOrganization))

    async def judged[T](self, answer: T | Setback) -> T | Setback:
        """Distinguish a fault of one object from one of the app, by a call about no object."""
        if not isinstance(answer, Denied):
            return answer
        one = _Query.ConnectedOrganizationsRequestBuilderGetQueryParameters(top=1, select=["id"])
        let_in = await self._page(one)
        if isinstance(let_in, Later):
            return replace(let_in, ambiguous=False)
        if isinstance(let_in, Blocked):
            return let_in
        changes = {"code": ErrorCode.REFUSED_BY_GRAPH, "action": _ADVICE}
        return Refused(answer.error.model_copy(update=changes))

    async def _page(
        self, query: _Query.ConnectedOrganizationsRequestBuilderGetQueryParameters
    ) -> Page | Setback:
        configuration = RequestConfiguration(query_parameters=query)
        ask = self._organizations.to_get_request_information(configuration)
        return await self.pages.organizations(ask)
