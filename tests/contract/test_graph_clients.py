"""The calls that known clients of this resource make are answered by the Graph emulator.

Read in the clients' public sources: Microsoft365DSC's resource for connected organizations, which
uses the beta commands of Graph PowerShell; hamilton, the Go client of Terraform's azuread provider,
which puts the tenant into the path; and Graph PowerShell's own examples.
"""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from infra.local import tokens
from tests.contract.graph_emulator import (
    GROUP,
    PARTNER_ID,
    USER,
    EmulatedGraph,
    domain,
    emulated_graph,
)

COLLECTION = "identityGovernance/entitlementManagement/connectedOrganizations"
TENANT = f"/v1.0/{tokens.HOME_TENANT_ID}"


class Sent(NamedTuple):
    """`{id}` stands for an organization, `{root}` for Graph's address. `shows` is what is found
    in the answer as text."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    status: int = 200
    shows: str = ""


def reference(target: str, version: str = "beta") -> dict[str, str]:
    return {"@odata.id": f"{{root}}/{version}/{target}"}


CALLS = {
    "Microsoft365DSC reads by id": Sent("GET", f"/beta/{COLLECTION}/{{id}}", shows="It's"),
    "Microsoft365DSC finds by name": Sent(
        "GET", f"/beta/{COLLECTION}?$filter=displayName%20eq%20'It''s'", shows="{id}"
    ),
    "Microsoft365DSC exports all": Sent("GET", f"/beta/{COLLECTION}", shows="{id}"),
    "Microsoft365DSC reads sponsors": Sent(
        "GET", f"/beta/{COLLECTION}/{{id}}/externalSponsors", shows=USER["id"]
    ),
    "Microsoft365DSC reads a sponsor": Sent("GET", f"/v1.0/users/{USER['id']}", shows="ada@"),
    "Microsoft365DSC asks what a sponsor is": Sent(
        "GET", f"/beta/directoryObjects/{GROUP['id']}", shows="#microsoft.graph.group"
    ),
    "Microsoft365DSC looks a tenant up": Sent(
        "GET",
        "/beta/tenantRelationships/microsoft.graph.findTenantInformationByTenantId"
        f"(tenantId='{PARTNER_ID}')",
        shows="contoso.example",
    ),
    "Microsoft365DSC creates by a domain alone": Sent(
        "POST",
        f"/beta/{COLLECTION}",
        {"displayName": "N", "description": "D", "state": "configured", "domainName": "n.example"},
        status=501,
    ),
    "Microsoft365DSC updates with the sources that there are": Sent(
        "PATCH",
        f"/beta/{COLLECTION}/{{id}}",
        {
            "displayName": "N",
            "description": "D",
            "state": "configured",
            "identitySources": domain("a.example")["identitySources"],
        },
        status=204,
    ),
    "Microsoft365DSC adds a sponsor": Sent(
        "POST",
        f"/beta/{COLLECTION}/{{id}}/externalSponsors/$ref",
        reference(f"groups/{GROUP['id']}"),
        status=204,
    ),
    "Microsoft365DSC removes a sponsor": Sent(
        "DELETE", f"/beta/{COLLECTION}/{{id}}/externalSponsors/{USER['id']}/$ref", status=204
    ),
    "hamilton lists": Sent("GET", f"{TENANT}/{COLLECTION}", shows="{id}"),
    "hamilton finds": Sent(
        "GET",
        f"{TENANT}/{COLLECTION}?%24count=true&%24filter=displayName+eq+%27It%27%27s%27&%24top=10",
        shows="@odata.count",
    ),
    "hamilton reads": Sent("GET", f"{TENANT}/{COLLECTION}/{{id}}", shows="It's"),
    "hamilton creates": Sent("POST", f"{TENANT}/{COLLECTION}", domain("n.example"), status=201),
    "hamilton updates": Sent(
        "PATCH",
        f"{TENANT}/{COLLECTION}/{{id}}",
        {"displayName": "N", "description": "D", "state": "proposed"},
        status=204,
    ),
    "hamilton deletes": Sent("DELETE", f"{TENANT}/{COLLECTION}/{{id}}", status=204),
    "hamilton reads sponsors": Sent(
        "GET", f"{TENANT}/{COLLECTION}/{{id}}/externalSponsors", shows="#microsoft.graph.user"
    ),
    "hamilton adds a sponsor": Sent(
        "POST",
        f"{TENANT}/{COLLECTION}/{{id}}/internalSponsors/$ref",
        reference(f"directoryObjects/{USER['id']}", f"v1.0/{tokens.HOME_TENANT_ID}"),
        status=204,
    ),
    "PowerShell lists in pages": Sent("GET", f"/v1.0/{COLLECTION}?$top=999", shows="{id}"),
    "PowerShell expands": Sent(
        "GET",
        f"/v1.0/{COLLECTION}/{{id}}?$expand=internalSponsors,externalSponsors",
        shows=USER["id"],
    ),
    "PowerShell selects and orders": Sent(
        "GET",
        f"/v1.0/{COLLECTION}?$select=id,displayName&$orderby=displayName%20desc&$skip=0",
        shows="{id}",
    ),
    "PowerShell counts": Sent("GET", f"/v1.0/{COLLECTION}/$count", shows="1"),
    "PowerShell lists references": Sent(
        "GET", f"/v1.0/{COLLECTION}/{{id}}/externalSponsors/$ref", shows="directoryObjects"
    ),
    "another case": Sent("GET", f"/v1.0/{COLLECTION.lower()}/{{id}}", shows="It's"),
    "a key in parentheses": Sent("GET", f"/v1.0/{COLLECTION}('{{id}}')", shows="It's"),
    "a user's key in parentheses": Sent(
        "POST",
        f"/v1.0/{COLLECTION}/{{id}}/internalSponsors/$ref",
        reference(f"users('{USER['id']}')"),
        status=204,
    ),
}


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        await graph.tenants()
        yield graph


async def prepared(graph: EmulatedGraph) -> str:
    """An organization with a sponsor."""
    organization_id = await graph.create(domain("a.example", displayName="It's"))
    sponsors = f"/v1.0/{COLLECTION}/{organization_id}/externalSponsors/$ref"
    body = {"@odata.id": f"{graph.root}/v1.0/users/{USER['id']}"}
    assert (await graph.call("POST", sponsors, body)).status == 204
    return organization_id


@pytest.mark.parametrize("sent", CALLS.values(), ids=CALLS)
async def test_a_known_clients_call_is_answered(graph: EmulatedGraph, sent: Sent) -> None:
    organization_id = await prepared(graph)

    def filled(text: str) -> str:
        return text.replace("{id}", organization_id).replace("{root}", graph.root)

    body = sent.body and {
        name: filled(value) if isinstance(value, str) else value
        for name, value in sent.body.items()
    }
    response = await graph.send(sent.method, filled(sent.path), body)
    assert response.status == sent.status, response.body
    assert filled(sent.shows) in str(response.body)


async def test_a_whole_organization_can_be_sent_back(graph: EmulatedGraph) -> None:
    address = f"/beta/{COLLECTION}/{await prepared(graph)}"
    whole = (await graph.call("GET", address)).body
    changed = {**whole, "@odata.etag": 'W/"1"', "description": "Changed"}
    assert (await graph.call("PATCH", address, changed)).status == 204
    assert (await graph.call("GET", address)).body["description"] == "Changed"
