"""What connorg sends to Graph, and reads from it, fits Microsoft's metadata of each cloud.

The requests are those that the emulator was really sent, each held against the metadata of the
version to which it was sent.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from connorg.contract.identity_sources import SOURCE_TYPES
from connorg.contract.organization import ConnectedOrganization, StoredIdentitySource, Tenant
from connorg.contract.requests import State
from connorg.contract.sponsors import SponsorObject
from tests.cases import each
from tests.contract.csdl import SCHEMAS, Schema, name_of, version_of
from tests.contract.graph_emulator import USER, domain
from tests.contract.graphs import emulated
from tests.contract.operations import do_everything
from tests.contract.sent import Request, misfits

ENTITLEMENTS = "identityGovernance/entitlementManagement"
ORGANIZATIONS = f"{ENTITLEMENTS}/connectedOrganizations"
BASE = "https://graph.example/beta"
OPERATIONS = {
    "POST connectedOrganizations",
    "GET connectedOrganizations",
    "GET *",
    "PATCH *",
    "DELETE *",
    "GET internalSponsors",
    "GET externalSponsors",
    "POST internalSponsors/$ref",
    "POST externalSponsors/$ref",
    "DELETE internalSponsors/*/$ref",
    "DELETE externalSponsors/*/$ref",
    "GET findTenantInformationByDomainName",
    "GET findTenantInformationByTenantId",
}
ON_SUBJECT = {"POST connectedOrganization/$ref", "PUT connectedOrganization/$ref"}


async def everything_sent(version: str) -> tuple[str, list[dict[str, Any]]]:
    async with emulated(version) as emulator:
        await do_everything(emulator.gateway, emulator.admin())
        return emulator.graph.root, await emulator.requests()


def operation(sent: dict[str, Any]) -> str:
    """The method, and the end of the path without its ids."""
    path = sent["path"].partition("?")[0].partition("(")[0]
    segments = path.split("/")[4 if "entitlementManagement" in path else 3 :]
    if segments[0] == "connectedOrganizations" and len(segments) > 1:
        segments = segments[2:] or ["*"]
        if len(segments) == 3:
            segments[1] = "*"
    elif segments[-1] == "$ref":
        segments = segments[-2:]
    return f"{sent['method']} {'/'.join(segments)}"


@pytest.mark.parametrize("path", SCHEMAS, ids=name_of)
async def test_everything_that_connorg_sends_fits(path: Path) -> None:
    schema, version = Schema(path), version_of(path)
    root, requests = await everything_sent(version)
    of_this_version = [sent for sent in requests if sent["version"] == version]
    expected = OPERATIONS | ON_SUBJECT if version == "beta" else OPERATIONS
    assert {operation(sent) for sent in of_this_version} == expected
    for sent in of_this_version:
        request = Request(sent["method"], sent["path"], sent["body"])
        assert list(misfits(schema, request, f"{root}/{version}")) == [], sent


async def test_only_a_subject_is_sent_to_beta_where_the_app_is_on_v1() -> None:
    _, requests = await everything_sent("v1.0")
    assert {operation(sent) for sent in requests if sent["version"] == "beta"} == ON_SUBJECT


# What connorg accepts and reads


@pytest.mark.parametrize("path", SCHEMAS, ids=name_of)
def test_connorg_accepts_the_sources_and_states_that_there_are(path: Path) -> None:
    """Social sources are left out: the service alone creates them."""
    schema = Schema(path)
    assert set(SOURCE_TYPES) == schema.derived("identitySource") - {"socialIdentitySource"}
    states = set(schema.enums["connectedOrganizationState"]) - {"unknownFutureValue"}
    assert {state.value for state in State} == states


@pytest.mark.parametrize("path", SCHEMAS, ids=name_of)
def test_what_connorg_reads_is_there_to_be_read(path: Path) -> None:
    schema = Schema(path)
    sources = schema.derived("identitySource")
    for model, type_names in (
        (ConnectedOrganization, ["connectedOrganization"]),
        (StoredIdentitySource, sources),
        (Tenant, ["tenantInformation"]),
        (SponsorObject, ["user", "group"]),
    ):
        declared = {name for type_name in type_names for name in schema.properties(type_name)}
        read = {field.alias or name for name, field in model.model_fields.items()}
        assert read - declared <= {"@odata.type", "tenant"}, model  # the tenant is connorg's own


# The checker itself


def changed(**changes: Any) -> dict[str, Any]:
    return domain("a.example", **changes)


def of_source(**source: Any) -> dict[str, Any]:
    return changed(identitySources=[source])


def filtered(text: str) -> str:
    return f"/beta/{ORGANIZATIONS}?$filter={text}"


CREATE = f"/beta/{ORGANIZATIONS}"
ONE = f"{CREATE}/1"
REF = f"{ONE}/internalSponsors/$ref"
SUBJECT = (
    f"/beta/{ENTITLEMENTS}/accessPackageAssignmentRequests/r/accessPackageAssignment"
    "/accessPackageAssignmentResourceRoles/s/accessPackageSubject/connectedOrganization/$ref"
)
LOOKUP = "/beta/tenantRelationships/findTenantInformationBy"
GOOD: Sequence[Request] = [
    Request("POST", CREATE, changed()),
    Request("PATCH", ONE, {"state": "proposed"}),
    Request("GET", filtered("displayName eq 'It''s' and state eq 'proposed'") + "&$top=1"),
    Request("POST", REF, {"@odata.id": f"{BASE}/groups/1"}),
    Request("DELETE", f"{ONE}/internalSponsors/2/$ref"),
    Request("POST", SUBJECT, changed()),
    Request("PUT", SUBJECT, {"@odata.id": f"{BASE}/{ORGANIZATIONS}/1"}),
    Request("GET", f"{LOOKUP}DomainName(domainName='a.example')"),
]
SOURCE = "#microsoft.graph."
BAD: Sequence[tuple[Request, str]] = [
    (Request("POST", CREATE, changed(colour="blue")), "lacks"),
    (Request("POST", CREATE, changed(id="1")), "Graph's to give"),
    (Request("POST", CREATE, changed(state="open")), "no member"),
    (Request("POST", CREATE, changed(displayName=7)), "not of Edm.String"),
    (Request("POST", CREATE, []), "no object"),
    (Request("POST", CREATE, of_source(domainName="a")), "no concrete identitySource"),
    (Request("POST", CREATE, of_source(**{"@odata.type": SOURCE + "x"})), "no concrete"),
    (
        Request(
            "POST",
            CREATE,
            of_source(**{"@odata.type": f"{SOURCE}domainIdentitySource", "tenantId": "1"}),
        ),
        "lacks",
    ),
    (
        Request(
            "POST",
            CREATE,
            of_source(
                **{
                    "@odata.type": f"{SOURCE}crossCloudAzureActiveDirectoryTenant",
                    "tenantId": "1",
                    "cloudInstance": None,
                }
            ),
        ),
        "cloudInstance is null",
    ),
    (
        Request(
            "POST",
            CREATE,
            of_source(
                **{
                    "@odata.type": f"{SOURCE}crossCloudAzureActiveDirectoryTenant",
                    "tenantId": "1",
                }
            ),
        ),
        "lacks cloudInstance",
    ),
    (Request("PUT", ONE), "does not fit"),
    (Request("PATCH", CREATE, changed()), "does not fit"),
    (Request("PATCH", ONE, {"name": "x"}), "lacks"),
    (Request("GET", ONE, {}), "has a body"),
    (Request("GET", f"/beta/{ENTITLEMENTS}/organizations"), "no navigation organizations"),
    (Request("GET", f"{ONE}/sponsors"), "no navigation sponsors"),
    (Request("GET", "/beta/organizations/1"), "no root"),
    (Request("POST", REF, {"@odata.id": "https://graph.example/v1.0/users/1"}), "not under"),
    (Request("POST", REF, {"@odata.id": f"{BASE}/users"}), "is no directoryObject"),
    (Request("POST", REF, {"@odata.id": f"{BASE}/{ORGANIZATIONS}/1"}), "is no directoryObject"),
    (Request("POST", REF, {"@odata.id": f"{BASE}/people/1"}), "no root"),
    (Request("POST", REF, {"id": USER["id"]}), "no reference"),
    (Request("PUT", REF, {"@odata.id": f"{BASE}/users/1"}), "does not fit"),
    (Request("PUT", SUBJECT, {"@odata.id": f"{BASE}/users/1"}), "is no connectedOrganization"),
    (Request("POST", SUBJECT, {"@odata.id": f"{BASE}/users/1", "name": "x"}), "lacks"),
    (Request("GET", f"{LOOKUP}Name(domainName='a.example')"), "is no function"),
    (Request("GET", f"{LOOKUP}DomainName(name='a.example')"), "no parameter"),
    (
        Request("GET", "/beta/users/1/findTenantInformationByTenantId(tenantId='1')"),
        "is not bound to user",
    ),
    (Request("GET", filtered("name eq 'x'")), "no property name"),
    (Request("GET", filtered("state eq 'open'")), "no member"),
    (Request("GET", filtered("displayName ne 'x'")), "can't be read"),
    (Request("GET", filtered("displayName eq 'x' or state eq 'proposed'")), "can't be read"),
    (
        Request("GET", filtered("sources/any(x:x/microsoft.graph.domainIdentitySource/y eq 'z')")),
        "no property sources",
    ),
    (
        Request("GET", filtered("identitySources/any(x:x/microsoft.graph.user/id eq 'z')")),
        "no concrete identitySource",
    ),
    (
        Request(
            "GET",
            filtered("identitySources/any(x:x/microsoft.graph.domainIdentitySource/id eq 'z')"),
        ),
        "no property id",
    ),
    (Request("GET", f"{CREATE}?$top=all"), "no option"),
    (Request("GET", f"{CREATE}?top=1"), "no option"),
]


@pytest.fixture(scope="module")
def beta() -> Schema:
    [path] = [path for path in SCHEMAS if version_of(path) == "beta"]
    return Schema(path)


@pytest.mark.parametrize("request_", GOOD)
def test_what_fits_is_let_through(beta: Schema, request_: Request) -> None:
    assert list(misfits(beta, request_, BASE)) == []


def test_what_does_not_fit_is_told(beta: Schema) -> None:
    for case in each(BAD):
        with case as (request, fault):
            [told] = misfits(beta, request, BASE)
            assert fault in told


def test_a_subject_is_unknown_to_v1() -> None:
    [path] = [path for path in SCHEMAS if name_of(path) == "v1.0-Prod"]
    [told] = misfits(Schema(path), Request("POST", SUBJECT, changed()), BASE)
    assert "no navigation" in told
