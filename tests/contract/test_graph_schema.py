"""What the Graph emulator says fits Microsoft's metadata, of each cloud for which there is any."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.local.graph.model import MODELS, NAMESPACE
from infra.local.graph.model import Property as ModelProperty
from infra.local.graph.sources import SOURCE_PROPERTIES
from tests.cases import each
from tests.contract.csdl import SCHEMAS, Property, Schema, name_of, version_of
from tests.contract.graph_emulator import (
    GROUP,
    PARTNER_ID,
    USER,
    EmulatedGraph,
    cross_cloud,
    domain,
    emulated_graph,
    federation,
    tenant,
)

ORGANIZATIONS = "identityGovernance/entitlementManagement/connectedOrganizations"
SUBJECT = (
    "accessPackageAssignment/accessPackageAssignmentResourceRoles"
    "/accessPackageSubject/connectedOrganization"
)
BODIES = [
    domain("a.example"),
    domain("b.example", state="proposed"),
    domain("contoso.test"),
    tenant("dddddddd-0000-4000-8000-000000000001"),
    federation("a.example"),
    cross_cloud(PARTNER_ID, "microsoftonline.us"),
]


@pytest.fixture(params=SCHEMAS, ids=name_of)
def path(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


@pytest.fixture
def schema(path: Path) -> Schema:
    return Schema(path)


@pytest.fixture
def version(path: Path) -> str:
    return version_of(path)


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        await graph.tenants()
        yield graph


def _assert_fits(schema: Schema, body: object, type_name: str) -> None:
    assert list(schema.misfits(body, Property(f"graph.{type_name}"), type_name)) == []


async def _create_with_sponsors(graph: EmulatedGraph, version: str) -> list[str]:
    ids = []
    for body in BODIES:
        created = await graph.call("POST", f"/{version}/{ORGANIZATIONS}", body)
        ids.append(created.body["id"])
    for kind, target in (
        ("internalSponsors", f"users/{USER['id']}"),
        ("externalSponsors", f"groups/{GROUP['id']}"),
    ):
        address = f"/{version}/{ORGANIZATIONS}/{ids[0]}/{kind}/$ref"
        await graph.call("POST", address, {"@odata.id": f"{graph.root}/{version}/{target}"})
    return ids


def test_there_are_schemas_of_both_versions() -> None:
    assert {version_of(path) for path in SCHEMAS} == {"v1.0", "beta"}


async def test_created_organizations_fit(
    graph: EmulatedGraph, schema: Schema, version: str
) -> None:
    for body in BODIES:
        created = await graph.call("POST", f"/{version}/{ORGANIZATIONS}", body)
        assert created.status == 201
        _assert_fits(schema, created.body, "connectedOrganization")


async def test_organizations_that_are_read_fit_with_sources_and_sponsors(
    graph: EmulatedGraph, schema: Schema, version: str
) -> None:
    ids = await _create_with_sponsors(graph, version)
    query = {"expand": "internalSponsors,externalSponsors"}
    listed = await graph.call("GET", f"/{version}/{ORGANIZATIONS}", query=query)
    assert [item["id"] for item in listed.body["value"]] == ids
    for organization_id, item in zip(ids, listed.body["value"], strict=True):
        read = await graph.call("GET", f"/{version}/{ORGANIZATIONS}/{organization_id}", query=query)
        assert read.body.items() >= item.items()
        _assert_fits(schema, read.body, "connectedOrganization")


@pytest.mark.parametrize("status", [200, 202])
async def test_what_an_update_answers_fits(
    graph: EmulatedGraph, schema: Schema, version: str, status: int
) -> None:
    [organization_id, *_] = await _create_with_sponsors(graph, version)
    await graph.configure(patchStatus=status)
    address = f"/{version}/{ORGANIZATIONS}/{organization_id}"
    updated = await graph.call("PATCH", address, {"state": "proposed"})
    assert updated.status == status
    _assert_fits(schema, updated.body, "connectedOrganization")


async def test_an_organization_is_read_with_every_property_that_it_has(
    graph: EmulatedGraph, schema: Schema, version: str
) -> None:
    [organization_id, *_] = await _create_with_sponsors(graph, version)
    read = await graph.call("GET", f"/{version}/{ORGANIZATIONS}/{organization_id}")
    expected = schema.properties("connectedOrganization").keys()
    assert read.body.keys() - {"@odata.context"} == expected


async def test_sponsors_users_groups_and_tenants_fit(
    graph: EmulatedGraph, schema: Schema, version: str
) -> None:
    [organization_id, *_] = await _create_with_sponsors(graph, version)
    for kind in ("internalSponsors", "externalSponsors"):
        path = f"/{version}/{ORGANIZATIONS}/{organization_id}/{kind}"
        sponsors = (await graph.call("GET", path)).body["value"]
        declared = schema.navigations("connectedOrganization")[kind]
        assert len(sponsors) == 1
        assert list(schema.misfits(sponsors, declared, kind)) == []
    lookup = f"tenantRelationships/findTenantInformationByTenantId(tenantId='{PARTNER_ID}')"
    for path, type_name in (
        (f"users/{USER['id']}", "user"),
        (f"groups/{GROUP['id']}", "group"),
        (lookup, "tenantInformation"),
    ):
        read = await graph.call("GET", f"/{version}/{path}")
        assert read.status == 200
        _assert_fits(schema, read.body, type_name)


def test_the_paths_are_those_of_the_metadata(schema: Schema, version: str) -> None:
    path = ORGANIZATIONS.removeprefix("identityGovernance/")
    assert schema.walk("identityGovernance", path) == "connectedOrganization"
    if version == "beta":
        requests = "entitlementManagement/accessPackageAssignmentRequests"
        path = f"{requests}/{SUBJECT}"
        assert schema.walk("identityGovernance", path) == "connectedOrganization"
    else:
        with pytest.raises(KeyError):
            schema.walk("accessPackageAssignmentRequest", SUBJECT)


def test_the_functions_take_the_parameters_of_the_metadata(schema: Schema) -> None:
    taken = {name: list(function.parameters) for name, function in schema.functions.items()}
    assert taken == {
        "findTenantInformationByDomainName": ["bindingParameter", "domainName"],
        "findTenantInformationByTenantId": ["bindingParameter", "tenantId"],
    }


def test_every_identity_source_that_callers_create_can_be_created(schema: Schema) -> None:
    """The global cloud has one more, which the service creates by itself."""
    declared = {
        name: schema.properties(name).keys() - {"displayName"}
        for name in schema.derived("identitySource") - {"socialIdentitySource"}
    }
    known = {name: set(properties) for name, properties in SOURCE_PROPERTIES.items()}
    assert known == declared


def test_the_emulators_model_is_that_of_the_metadata(schema: Schema, version: str) -> None:
    """It is the global cloud's, which knows one more source than the others."""
    for known in MODELS[version].types.values():
        name = known.name.removeprefix(NAMESPACE)
        if name in schema.types:
            declared = schema.types[name]
            shown = {**declared.properties, **declared.navigations}
            assert {item.name: _declared(item) for item in known.own} == shown, name
            assert (known.base or "").removeprefix(NAMESPACE) == (declared.base or ""), name
            assert known.abstract == declared.abstract, name
        elif name in schema.enums:
            assert list(known.members) == schema.enums[name], name
        else:
            assert name.startswith(("Edm.", "socialIdentitySource")), name


def _declared(known: ModelProperty) -> Property:
    type_name = known.type_name.replace(NAMESPACE, "graph.")
    return Property(
        f"Collection({type_name})" if known.is_collection else type_name, known.nullable
    )


def test_every_state_that_callers_set_can_be_set(schema: Schema) -> None:
    members = set(schema.enums["connectedOrganizationState"])
    assert {body["state"] for body in BODIES} == members - {"unknownFutureValue"}


MISFITS: tuple[tuple[dict[str, object], str], ...] = (
    ({"colour": "blue"}, "has a property colour that connectedOrganization lacks"),
    ({"id": None}, "id is null"),
    ({"state": "open"}, "is no member of connectedOrganizationState"),
    ({"createdDateTime": "2024-10-29"}, "is not of Edm.DateTimeOffset"),
    ({"displayName": 7}, "is not of Edm.String"),
    ({"identitySources": {}}, "is not a collection"),
    ({"identitySources": [{"domainName": "x"}]}, "is no concrete identitySource"),
    (
        {"identitySources": [{"@odata.type": "#microsoft.graph.user", "id": "x"}]},
        "is no concrete identitySource",
    ),
)


def test_what_does_not_fit_is_told(schema: Schema) -> None:
    for case in each(MISFITS):
        with case as (change, fault):
            body = {"id": "x", "displayName": "x", **change}
            [told] = schema.misfits(body, Property("graph.connectedOrganization"), "organization")
            assert fault in told
