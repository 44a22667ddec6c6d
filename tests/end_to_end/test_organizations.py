"""Organizations that stand: list, read, change, delete, and their sponsors."""

import csv
import io
import json
import uuid
from typing import Any

import httpx
import pytest

from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests.end_to_end.client import Connorg, Json, Partner, problem
from tests.end_to_end.test_sponsors import ADA, DESK, GUEST, UNKNOWN, sponsors_of, with_sponsors

NO_SUCH_ID = "00000000-0000-4000-8000-000000000000"
MASTER = {"x-functions-key": DEFAULT_MASTER_KEY}


async def created(connorg: Connorg, partner: Partner, **changes: Any) -> Json:
    answer = await connorg.submit(partner.body(**changes))
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["result"])


async def organizations(connorg: Connorg, **query: str) -> httpx.Response:
    path = f"connected-organizations?{httpx.QueryParams(query)}"
    answer = await connorg.call("GET", path)
    assert answer.status_code == 200, answer.text
    return answer


async def send(connorg: Connorg, method: str, path: str, body: Any = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else json.dumps(body).encode()
    return await connorg.call(
        method, f"connected-organizations/{path}", content=content, headers=named
    )


# Listing


async def test_organizations_are_listed_page_by_page(connorg: Connorg) -> None:
    name = f"Named {uuid.uuid4()}"
    ids = {await connorg.graph.make_by_hand(Partner(), displayName=name) for _ in range(5)}
    found: list[str] = []
    page = (await organizations(connorg, displayName=name, top="2")).json()
    while True:
        assert len(page["value"]) <= 2
        found += [organization["id"] for organization in page["value"]]
        if "nextLink" not in page:
            break
        page = (await connorg.call("GET", page["nextLink"])).json()
    assert (len(found), set(found)) == (5, ids)


async def test_organizations_are_filtered(connorg: Connorg) -> None:
    partner, of_tenant, tenant_id = Partner(), Partner(), str(uuid.uuid4())
    await connorg.graph.register(of_tenant.domain, tenant_id)
    one = await created(connorg, partner, displayName=f"O'Brien {partner.domain}", state="proposed")
    other = await created(connorg, of_tenant)

    async def ids(**query: str) -> list[str]:
        return [o["id"] for o in (await organizations(connorg, **query)).json()["value"]]

    assert await ids(domainName=partner.domain) == [one["id"]]
    assert await ids(tenantId=tenant_id) == [other["id"]]
    assert await ids(displayName=f"O'Brien {partner.domain}", state="proposed") == [one["id"]]
    assert await ids(displayName=f"O'Brien {partner.domain}", state="configured") == []
    assert await ids(displayName="x' or displayName ne 'x") == []


async def test_a_listed_organization_shows_its_resolved_source(connorg: Connorg) -> None:
    partner = Partner()
    assert (await created(connorg, partner))["identitySources"] == []
    [found] = (await organizations(connorg, domainName=partner.domain)).json()["value"]
    assert found["identitySources"][0]["domainName"] == partner.domain


async def test_a_list_for_a_spreadsheet_holds_no_formula(connorg: Connorg) -> None:
    partner = Partner()
    name = f'=HYPERLINK("http://evil.example","{partner.domain}")'
    organization = await created(
        connorg, partner, displayName=name, description='With "quotes",\nand more'
    )
    path = f"connected-organizations?{httpx.QueryParams({'displayName': name})}"
    answer = await connorg.call("GET", path, headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert row["id"] == organization["id"]
    assert row["displayName"] == f"'{name}"
    assert row["description"] == 'With "quotes",\nand more'
    assert (row["identitySource"], row["domainName"]) == ("domainIdentitySource", partner.domain)


@pytest.mark.parametrize("query", ["top=0", "top=x", "state=open"])
async def test_a_query_that_cannot_be_used_is_refused(connorg: Connorg, query: str) -> None:
    problem(await connorg.call("GET", f"connected-organizations?{query}"), 400, "InvalidParameter")


@pytest.mark.parametrize(
    "token", ["x", "%00", "A0", "e3h9", "JXp6", "Iw", "JHRvcD0x", "Li4vLi4vLi4", "a" * 3000]
)
async def test_a_forged_continuation_reads_nothing_else(untouched: Connorg, token: str) -> None:
    before = await untouched.footprint()
    answer = await untouched.call("GET", f"connected-organizations?continuationToken={token}")
    problem(answer, 400, "InvalidParameter")
    assert await untouched.footprint() == before


# Reading and changing


async def test_an_organization_is_read_with_its_source_and_version(connorg: Connorg) -> None:
    partner = Partner()
    organization = await created(connorg, partner)
    answer = await send(connorg, "GET", organization["id"])
    assert answer.status_code == 200
    assert answer.json()["identitySources"][0]["domainName"] == partner.domain
    assert answer.headers["etag"].startswith('"')


@pytest.mark.parametrize("unknown", [NO_SUCH_ID, "x", "..%2f..", "a%20b", "0" * 500])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_there_is_no_such_organization(connorg: Connorg, method: str, unknown: str) -> None:
    body = {"displayName": "New"} if method == "PATCH" else None
    problem(await send(connorg, method, unknown, body), 404, "OrganizationNotFound")


@pytest.mark.parametrize("patch_status", [200, 202, 204])
async def test_what_is_given_is_changed_and_nothing_else(
    connorg: Connorg, patch_status: int
) -> None:
    partner = Partner()
    organization = await created(connorg, partner)
    await connorg.graph.configure(patchStatus=patch_status)
    answer = await send(connorg, "PATCH", organization["id"], {"displayName": "New name"})
    await connorg.graph.configure(patchStatus=204)
    assert answer.status_code == 200
    assert answer.json()["displayName"] == "New name"
    held = await connorg.graph.organization(organization["id"])
    assert (held["displayName"], held["state"]) == ("New name", "configured")
    [patch] = [
        call
        for call in await connorg.graph.requests()
        if organization["id"] in call["path"] and call["method"] == "PATCH"
    ]
    assert patch["body"].keys() - {"@odata.type"} == {"displayName"}


async def test_a_change_of_nothing_is_no_call(connorg: Connorg) -> None:
    partner = Partner()
    organization = await created(connorg, partner)
    body = {"displayName": organization["displayName"]}
    assert (await send(connorg, "PATCH", organization["id"], body)).status_code == 200
    calls = [
        call["method"]
        for call in await connorg.graph.requests()
        if organization["id"] in call["path"]
    ]
    assert calls == ["GET"]


async def test_a_change_of_what_was_changed_meanwhile_is_refused(connorg: Connorg) -> None:
    organization = await created(connorg, Partner())
    version = (await send(connorg, "GET", organization["id"])).headers["etag"]
    changed = await send(
        connorg, "PATCH", organization["id"], {"state": "proposed"}, if_match=version
    )
    assert changed.status_code == 200
    late = await send(connorg, "PATCH", organization["id"], {"displayName": "X"}, if_match=version)
    problem(late, 412, "PreconditionFailed")
    assert late.headers["etag"] == changed.headers["etag"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"displayName": ""}, "/displayName"),
        ({"displayName": "a\u0000b"}, "/displayName"),
        ({"state": "open"}, "/state"),
        ({"description": 7}, "/description"),
        ({"identitySources": []}, "/identitySources"),
    ],
)
async def test_a_change_that_cannot_be_made_is_refused_with_its_place(
    connorg: Connorg, body: Json, pointer: str
) -> None:
    told = problem(await send(connorg, "PATCH", NO_SUCH_ID, body), 422, "InvalidValues")
    assert [fault["pointer"] for fault in told["errors"]] == [pointer]


# Deleting


async def test_a_delete_must_be_confirmed(connorg: Connorg) -> None:
    organization = await created(connorg, Partner())
    path = organization["id"]
    problem(await send(connorg, "DELETE", path, **MASTER), 428, "ConfirmationRequired")
    problem(
        await send(connorg, "DELETE", path, if_match="*", **MASTER), 428, "ConfirmationRequired"
    )
    problem(
        await send(connorg, "DELETE", path, if_match='"old"', **MASTER), 412, "PreconditionFailed"
    )
    problem(
        await send(connorg, "DELETE", f"{path}?displayName=Other", **MASTER),
        412,
        "PreconditionFailed",
    )
    assert await connorg.graph.organization(path)


async def test_a_delete_needs_more_than_the_function_key(connorg: Connorg) -> None:
    organization = await created(connorg, Partner())
    name = httpx.QueryParams({"displayName": organization["displayName"]})
    answer = await send(connorg, "DELETE", f"{organization['id']}?{name}")
    assert (answer.status_code, answer.content) == (401, b"")
    assert await connorg.graph.organization(organization["id"])


@pytest.mark.parametrize("by", ["name", "version"])
async def test_a_deleted_partner_can_be_onboarded_anew(connorg: Connorg, by: str) -> None:
    partner = Partner()
    first = (await connorg.submit(partner.body())).json()
    organization = first["result"]
    path, headers = organization["id"], dict(MASTER)
    if by == "name":
        path += f"?{httpx.QueryParams({'displayName': organization['displayName']})}"
    else:
        headers["if-match"] = (await send(connorg, "GET", path)).headers["etag"]
    answer = await send(connorg, "DELETE", path, **headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not await connorg.graph.organizations(partner)
    assert (await connorg.onboarding(first["id"]))["deletedDateTime"]
    again = await connorg.submit(partner.body())
    assert again.status_code == 201
    assert again.json()["result"]["id"] != organization["id"]


async def test_what_was_deleted_elsewhere_is_forgotten_by_a_delete(connorg: Connorg) -> None:
    partner = Partner()
    organization = await created(connorg, partner)
    await connorg.graph.forget_everything()
    assert (await connorg.submit(partner.body())).status_code == 200, "the ledger can't know"
    assert (await send(connorg, "DELETE", organization["id"], **MASTER)).status_code == 204
    problem(
        await send(connorg, "DELETE", organization["id"], **MASTER), 404, "OrganizationNotFound"
    )
    assert (await connorg.submit(partner.body())).status_code == 201


# Sponsors


async def test_sponsors_are_added_listed_and_removed(connorg: Connorg) -> None:
    await with_sponsors(connorg)
    partner = Partner()
    path = f"{(await created(connorg, partner))['id']}/internalSponsors"
    for sponsor in (ADA["userPrincipalName"], DESK["id"], GUEST["userPrincipalName"], ADA["id"]):
        assert (await send(connorg, "POST", path, {"sponsor": sponsor})).status_code == 204
    listed = (await send(connorg, "GET", path)).json()["value"]
    expected = sorted(sponsor["id"] for sponsor in (ADA, DESK, GUEST))
    assert sorted(sponsor["id"] for sponsor in listed) == expected
    for sponsor in (ADA["userPrincipalName"].upper(), DESK["id"]):
        assert (await send(connorg, "DELETE", f"{path}/{sponsor}")).status_code == 204
    assert await sponsors_of(connorg, partner) == ([GUEST["id"]], [])


async def test_a_sponsor_who_is_not_there_is_told(connorg: Connorg) -> None:
    await with_sponsors(connorg)
    path = f"{(await created(connorg, Partner()))['id']}/externalSponsors"
    told = problem(await send(connorg, "POST", path, {"sponsor": UNKNOWN}), 422, "InvalidValues")
    assert told["errors"][0]["pointer"] == "/sponsor"
    assert UNKNOWN in told["errors"][0]["detail"]
    problem(await send(connorg, "DELETE", f"{path}/{ADA['id']}"), 404, "SponsorNotFound")
    problem(await send(connorg, "POST", path, {"sponsor": "no name"}), 422, "InvalidValues")


async def test_there_are_two_kinds_of_sponsors(connorg: Connorg) -> None:
    organization = await created(connorg, Partner())
    for method, body in (("GET", None), ("POST", {"sponsor": ADA["id"]})):
        answer = await send(connorg, method, f"{organization['id']}/owners", body)
        problem(answer, 404, "SponsorNotFound")
    answer = await send(connorg, "GET", f"{NO_SUCH_ID}/internalSponsors")
    problem(answer, 404, "OrganizationNotFound")


# Graph while a caller waits


async def test_a_graph_that_throttles_is_left_alone_by_all(untouched: Connorg) -> None:
    organization = await created(untouched, Partner())
    read = {"method": "GET", "path": organization["id"]}
    await untouched.graph.fail({**read, "fault": "throttle", "retryAfter": 2, "times": 1})
    first = await send(untouched, "GET", organization["id"])
    problem(first, 503, "GraphUnavailable")
    calls = len(await untouched.graph.requests())
    second = await send(untouched, "GET", organization["id"])
    problem(second, 503, "GraphUnavailable")
    assert int(second.headers["retry-after"]) >= 1
    assert len(await untouched.graph.requests()) == calls, "the gate is closed to everybody"


# Reading back what Graph resolved


async def test_the_resolved_source_is_read_back_once_and_only_when_asked(connorg: Connorg) -> None:
    partner, tenant_id = Partner(), str(uuid.uuid4())
    await connorg.graph.register(partner.domain, tenant_id)
    onboarding = (await connorg.submit(partner.body())).json()
    plain = await connorg.onboarding(onboarding["id"])
    assert plain["result"]["identitySources"] == [], "Graph's answer to a create leaves it out"
    for _ in range(2):
        answer = await connorg.call("GET", f"onboardings/{onboarding['id']}?readBack=true")
        [source] = answer.json()["result"]["identitySources"]
        assert (source["@odata.type"], source["tenantId"]) == (
            "#microsoft.graph.azureActiveDirectoryTenant",
            tenant_id,
        )
    reads = [c for c in await connorg.graph.requests() if onboarding["result"]["id"] in c["path"]]
    assert len(reads) == 1
    assert (await connorg.onboarding(onboarding["id"]))["result"]["tenant"]["tenantId"] == tenant_id


async def test_a_create_can_ask_for_the_resolved_source(connorg: Connorg) -> None:
    partner = Partner()
    content = json.dumps(partner.body()).encode()
    answer = await connorg.call("POST", "connected-organizations?readBack=true", content=content)
    assert answer.status_code == 201
    [source] = answer.json()["result"]["identitySources"]
    assert source["domainName"] == partner.domain
    result = await connorg.call("GET", answer.headers["location"], key=False)
    assert result.json()["identitySources"] == [source]


async def test_what_is_listed_as_csv_is_as_a_file_unchanged(connorg: Connorg) -> None:
    partners = {Partner(): name for name in ("@home Ltd", "=Equal Inc", "-Minus AG", '\'=a, "b"')}
    for partner, name in partners.items():
        answer = await connorg.submit(partner.body(displayName=name, description=f"{name}\nx"))
        assert answer.status_code == 201, answer.text
    csv_of = {"accept": "text/csv"}
    pages = [
        await connorg.call("GET", f"connected-organizations?domainName={p.domain}", headers=csv_of)
        for p in partners
    ]
    [header] = {page.text.splitlines()[0] for page in pages}
    file = "".join([header + "\r\n", *(page.text.split("\r\n", 1)[1] for page in pages)])
    answer = await connorg.call("POST", "batches?dryRun=true", content=file.encode())
    assert answer.status_code == 200, answer.text
    told = answer.json()["rows"]
    assert [row["name"] for row in told] == [partner.domain for partner in partners]
    assert {row["prospect"] for row in told} == {"exists"}
