"""Everything that connorg ever asks of Graph, once."""

from typing import Any

from connorg.contract.identity_sources import AzureActiveDirectoryTenant, DomainIdentitySource
from connorg.contract.sponsors import SponsorKind, Sponsorship
from connorg.core.ports import OrganizationAdmin, OrganizationFilter, OrganizationGateway
from tests.contract.graph_emulator import (
    GROUP,
    GUEST,
    PARTNER_ID,
    USER,
    cross_cloud,
    domain,
    federation,
    tenant,
)
from tests.contract.graphs import asking, created

BODIES = (
    domain("a.example", state="proposed"),
    domain("contoso.test"),
    federation("a.example"),
    tenant("dddddddd-0000-4000-8000-000000000001"),
    cross_cloud(PARTNER_ID, "microsoftonline.us"),
    cross_cloud(PARTNER_ID, "microsoftonline.com"),
    cross_cloud(PARTNER_ID, "partner.microsoftonline.cn"),
)
ON_SUBJECT: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.connectedOrganization",
    "createdBy": "somebody",
    "modifiedBy": "somebody",
    **BODIES[0],
}
FILTER = OrganizationFilter(
    display_name="It's", state="proposed", domain_name="a.example", tenant_id=PARTNER_ID
)


async def do_everything(gateway: OrganizationGateway, admin: OrganizationAdmin) -> None:
    """In a Graph without organizations, so that nothing is refused."""
    for body in BODIES:
        request = asking(body)
        organization = await created(gateway, request)
        await gateway.find(request)
        if isinstance(request.identity_source, DomainIdentitySource | AzureActiveDirectoryTenant):
            await gateway.tenant_of(request.identity_source)
    await gateway.read(organization.id)
    await gateway.update(
        organization, {"display_name": "Other", "description": "Another", "state": "proposed"}
    )
    for kind in SponsorKind:
        for sponsor in (USER["id"], GUEST["userPrincipalName"], GROUP["id"]):
            await gateway.add_sponsor(organization.id, Sponsorship(kind=kind, sponsor=sponsor))
        await gateway.sponsors(organization.id, kind)
        await admin.remove_sponsor(organization.id, kind, USER["id"])
    page: Any = await admin.list(OrganizationFilter(), 1, None)
    await admin.list(OrganizationFilter(), 1, page.continuation)
    await admin.list(FILTER, 100, None)
    await admin.add_to_subject("r", "s", ON_SUBJECT)
    await admin.set_on_subject("r", "s", organization.id)
    await admin.delete(organization.id)
