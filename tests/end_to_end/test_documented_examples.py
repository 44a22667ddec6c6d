"""The example bodies of "Create connectedOrganization" (v1.0 and beta), word for word."""

from typing import Any

import pytest

from tests.end_to_end.client import Connorg, Json, Partner

CREATE_PATH = "/identityGovernance/entitlementManagement/connectedOrganizations"

# "Create connectedOrganization", v1.0 and beta, Example 1
DOMAIN_EXAMPLE: Json = {
    "displayName": "Connected organization name",
    "description": "Connected organization description",
    "identitySources": [
        {
            "@odata.type": "#microsoft.graph.domainIdentitySource",
            "domainName": "example.com",
            "displayName": "example.com",
        }
    ],
    "state": "proposed",
}
# The same, beta, Example 2
TENANT_EXAMPLE: Json = {
    "displayName": "Connected organization name",
    "description": "Connected organization description",
    "identitySources": [
        {
            "@odata.type": "#microsoft.graph.azureActiveDirectoryTenant",
            "tenantId": "bcfdfff4-cbc3-43f2-9000-ba7b7515054f",
            "displayName": "example.com",
        }
    ],
    "state": "proposed",
}


def of_source(**source: str) -> Json:
    """The examples' body for an identity source that they don't show."""
    return {**DOMAIN_EXAMPLE, "identitySources": [{"displayName": "example", **source}]}


SOURCES: dict[str, dict[str, str]] = {
    "domain": {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": "a.example"},
    "federation": {
        "@odata.type": "#microsoft.graph.externalDomainFederation",
        "domainName": "b.example",
        "issuerUri": "https://login.b.example/saml",
    },
    "tenant": {
        "@odata.type": "#microsoft.graph.azureActiveDirectoryTenant",
        "tenantId": "2f9c4e6a-77d6-4d08-9a4c-0e4d8c1b2a03",
    },
    **{
        f"tenant of {cloud}": {
            "@odata.type": "#microsoft.graph.crossCloudAzureActiveDirectoryTenant",
            "tenantId": "2f9c4e6a-77d6-4d08-9a4c-0e4d8c1b2a03",
            "cloudInstance": cloud,
        }
        for cloud in ("microsoftonline.us", "partner.microsoftonline.cn")
    },
}


async def assert_stands_as_sent(connorg: Connorg, body: Json, version: str) -> None:
    answer = await connorg.submit(body)
    assert answer.status_code == 201, answer.text
    organization = await connorg.graph.organization(answer.json()["result"]["id"])
    [sent], [stored] = body["identitySources"], organization["identitySources"]
    for name in ("displayName", "description", "state"):
        assert organization[name] == body[name]
    assert stored == {**sent, "@odata.type": f"#{sent['@odata.type'].removeprefix('#')}"}
    create = (await connorg.graph.requests(body["displayName"]))[-1]
    assert (create["method"], create["path"]) == ("POST", f"/{version}{CREATE_PATH}")
    assert create["body"].keys() - {"@odata.type"} == body.keys(), "nothing of our own"
    read = await connorg.call("GET", f"connected-organizations/{organization['id']}")
    assert read.json()["identitySources"] == [stored], "and it is read back so"


@pytest.mark.parametrize("body", [DOMAIN_EXAMPLE, TENANT_EXAMPLE], ids=["domain", "tenant"])
async def test_the_documents_examples_stand_in_graph_as_documented(
    fresh: Connorg, body: Json
) -> None:
    await assert_stands_as_sent(fresh, body, "v1.0")


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
async def test_each_type_of_identity_source_is_created(
    fresh: Connorg, source: dict[str, str]
) -> None:
    await assert_stands_as_sent(fresh, of_source(**source), "v1.0")


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
async def test_a_type_may_lack_its_hash_as_in_some_documents(
    fresh: Connorg, source: dict[str, Any]
) -> None:
    """One with the hash and one without are the same request."""
    with_hash = await fresh.submit(of_source(**source))
    without = await fresh.submit(
        of_source(**{**source, "@odata.type": source["@odata.type"].removeprefix("#")})
    )
    assert without.status_code == 200
    assert without.json()["id"] == with_hash.json()["id"]


async def test_a_documented_type_without_hash_reaches_graph_with_it(fresh: Connorg) -> None:
    partner = Partner()
    [source] = partner.body()["identitySources"]
    bare = {**source, "@odata.type": source["@odata.type"].removeprefix("#")}
    await assert_stands_as_sent(fresh, partner.body(identitySources=[bare]), "v1.0")


async def test_the_documents_examples_work_against_beta(breakable: Connorg) -> None:
    breakable.stack.set_functions({"CONNORG_GRAPH_VERSION": "beta"})
    for body in (DOMAIN_EXAMPLE, TENANT_EXAMPLE, *(of_source(**s) for s in SOURCES.values())):
        await breakable.graph.forget_everything()
        await assert_stands_as_sent(breakable, body, "beta")
