"""`python -m infra.grant` against the emulated Graph, signed in through a managed identity."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from infra.grant.__main__ import DONE, FAILED, LACKING, NOT_ALLOWED, main
from infra.local.graph.rights import GRAPH_PRINCIPAL_ID
from infra.local.identity import create_app
from infra.local.tokens import APP_ID, LOCAL_IDENTITY_HEADER, PRINCIPAL_ID, TOKEN_PATH
from tests.contract.conftest import IMPORTS_ALL_MODELS
from tests.contract.graph_emulator import EmulatedGraph, emulated_graph, until

pytestmark = IMPORTS_ALL_MODELS

READER = ["Application.Read.All", "RoleManagement.Read.Directory"]
ADMINISTRATOR = [*READER, "AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory"]
GOVERNANCE = "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e"
WRITE = "9acd699f-1e81-4958-b001-93b1d2506e19"
LOOKUP = "cac88765-0581-4025-9725-5ebc13f729ee"
RIGHTS = {GOVERNANCE, LOOKUP}
WHO = ["--principal-id", PRINCIPAL_ID]
CONNORG = {
    "id": "55555555-5555-4555-8555-555555555555",
    "appId": "66666666-6666-4666-8666-666666666666",
    "displayName": "connorg",
    "appRoles": [
        {"id": "77777777-0000-4000-8000-000000000001", "value": "Onboarding.Submit"},
        {"id": "77777777-0000-4000-8000-000000000002", "value": "Onboarding.Read"},
    ],
}
LOGIC_APP = {
    "id": "88888888-8888-4888-8888-888888888888",
    "appId": "99999999-9999-4999-8999-999999999999",
    "displayName": "partner's flow",
}


@dataclass
class Tenant:
    graph: EmulatedGraph
    capture: pytest.CaptureFixture[str]
    out: str = ""
    error: str = ""

    async def grant(self, *arguments: str) -> int:
        code = await asyncio.to_thread(main, arguments)
        self.out, self.error = self.capture.readouterr()
        return code

    async def posts(self) -> list[Any]:
        requests = await self.graph.control("GET", "requests")
        return [request for request in requests if request["method"] == "POST"]

    async def grant_shown_late(self, refused: int) -> int:
        """Let Graph show what was given only when it was looked for twice in vain.

        `refused`: of how many repeats Graph must have said before that they are there already.
        """

        async def reached() -> bool:
            requests = await self.graph.control("GET", "requests")
            posts = [i for i, request in enumerate(requests) if request["method"] == "POST"]
            status = 400 if refused else 201
            answered = [i for i in posts if requests[i]["status"] == status]
            if len(answered) < (refused or len(RIGHTS)):
                return False
            looks = [r for r in requests[answered[-1] :] if "roleManagement" in r["path"]]
            return len(looks) > 1 or len(answered) > len(RIGHTS)

        await self.graph.configure(consistencyDelaySeconds=3600)
        granting = asyncio.create_task(self.grant(*WHO, "--yes"))
        await until(reached)
        assert not granting.done()
        await self.graph.configure(consistencyDelaySeconds=0)
        return await granting

    async def given(self) -> set[str]:
        """The ids of app roles and directory roles for which Graph answered 201."""
        bodies = [post["body"] for post in await self.posts() if post["status"] == 201]
        return {body.get("appRoleId") or body["roleDefinitionId"] for body in bodies}


@pytest.fixture
async def tenant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[Tenant]:
    async with TestServer(create_app()) as identity, emulated_graph() as graph:
        monkeypatch.setenv("IDENTITY_ENDPOINT", str(identity.make_url(TOKEN_PATH)))
        monkeypatch.setenv("IDENTITY_HEADER", LOCAL_IDENTITY_HEADER)
        monkeypatch.setenv("CONNORG_GRAPH_ROOT", graph.root)
        await graph.configure(roles=ADMINISTRATOR)
        yield Tenant(graph, capsys)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], RIGHTS),
        (["--with", "directory-role", "--no-tenant-lookup"], {GOVERNANCE}),
        (["--with", "app-role"], {WRITE, LOOKUP}),
    ],
    ids=["as it comes", "least", "app role"],
)
async def test_it_gives_what_was_chosen_once_however_often_it_runs(
    tenant: Tenant, options: Sequence[str], expected: set[str]
) -> None:
    assert await tenant.grant(*WHO, *options, "--check") == LACKING
    assert await tenant.posts() == [], "a check changes nothing"
    assert await tenant.grant(*WHO, *options, "--yes") == DONE
    assert "24 hours" in tenant.out
    assert await tenant.given() == expected
    posts = await tenant.posts()
    assert await tenant.grant(*WHO, *options, "--yes") == DONE
    assert "Nothing to do" in tenant.out
    assert await tenant.grant(*WHO, *options, "--check") == DONE
    assert await tenant.posts() == posts


async def test_without_a_yes_nothing_is_changed(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ("", "no"):
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        assert await tenant.grant(*WHO) == FAILED
        assert "Nothing was changed" in tenant.error
    assert await tenant.posts() == []
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert await tenant.grant(*WHO) == DONE


@pytest.mark.parametrize("roles", [READER, []], ids=["who may read", "who may not even read"])
async def test_who_may_not_gets_what_to_hand_over(tenant: Tenant, roles: list[str]) -> None:
    await tenant.graph.configure(roles=roles)
    assert await tenant.grant(*WHO, "--yes") == NOT_ALLOWED
    assert "Insufficient privileges" in tenant.error
    assert "Privileged Role Administrator" in tenant.error
    handed = tenant.out[tenant.out.index("send this on") :]
    assert {PRINCIPAL_ID, GOVERNANCE} <= set(re.findall(r"[0-9a-f-]{36}", handed))
    assert "appRoles[?value=='CrossTenantInformation.ReadBasic.All']" in handed
    assert await tenant.given() == set()


AZ = """#!{python}
import json, os, sys, urllib.request, jmespath
given = dict(zip(sys.argv[1:], sys.argv[2:]))
root, bearer = os.environ["GRAPH"], os.environ["BEARER"]
def call(method, url, body=None):
    headers = {{"Authorization": bearer, "Content-Type": "application/json"}}
    request = urllib.request.Request(url, body, headers, method=method)
    return json.load(urllib.request.urlopen(request))
if sys.argv[1] == "rest":
    assert given["--headers"] == "content-type=application/json"
    call(given["--method"], given["--url"], given["--body"].encode())
else:
    assert sys.argv[1:4] == ["ad", "sp", "show"] and given["--output"] == "tsv"
    found = call("GET", f"{{root}}/v1.0/servicePrincipals(appId='{{given['--id']}}')")
    told = jmespath.search(given["--query"], found)
    print(told if isinstance(told, str) else "\\n".join(told))
"""


async def test_what_is_handed_over_grants_it_in_the_shell_of_another(
    tenant: Tenant, tmp_path: Path
) -> None:
    """The commands as they are printed, run by bash; of `az` there is what they use of it."""
    await tenant.graph.configure(roles=READER)
    assert await tenant.grant(*WHO, "--with", "app-role", "--yes") == NOT_ALLOWED
    lines = tenant.out.splitlines()
    commands = [line for line in lines if line.startswith(("az rest", "resource=", "role="))]
    az = tmp_path / "az"
    az.write_text(AZ.format(python=sys.executable))
    az.chmod(0o755)
    bearer = tenant.graph.authorization["Authorization"]
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "GRAPH": tenant.graph.root,
        "BEARER": bearer,
    }
    await tenant.graph.configure(roles=ADMINISTRATOR)
    shell = await asyncio.create_subprocess_exec(
        "bash", "-euc", "\n".join(commands), env=environment
    )
    assert await shell.wait() == 0
    assert await tenant.given() == {WRITE, LOOKUP}
    assert await tenant.grant(*WHO, "--with", "app-role", "--check") == DONE


async def test_nobody_signed_in_is_told_to_sign_in(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    assert await tenant.grant(*WHO, "--yes") == NOT_ALLOWED
    assert "az login" in tenant.error


@pytest.mark.parametrize("root", ["http://graph.example", "https://", "https://a@graph.example"])
async def test_an_operators_token_goes_to_an_https_address_or_nowhere(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    monkeypatch.setenv("CONNORG_GRAPH_ROOT", root)
    assert await tenant.grant(*WHO, "--yes", "--patience", "0") == FAILED
    assert "must be an https address" in tenant.error


@pytest.mark.parametrize("fault", ["commit_then_reset", "commit_then_status", "reset", "status"])
async def test_a_lost_answer_is_looked_up_and_nothing_is_given_twice(
    tenant: Tenant, fault: str
) -> None:
    rule = {"method": "POST", "fault": fault, "times": 2}
    await tenant.graph.fail(rule | ({"status": 503} if "status" in fault else {}))
    assert await tenant.grant(*WHO, "--yes") == DONE
    held = await tenant.graph.call(
        "GET",
        f"/v1.0/servicePrincipals/{PRINCIPAL_ID}/appRoleAssignments",
    )
    assert [one["appRoleId"] for one in held.body["value"]] == [LOOKUP]


async def test_it_waits_until_every_replica_shows_what_was_given(tenant: Tenant) -> None:
    assert await tenant.grant_shown_late(refused=0) == DONE
    assert [post["status"] for post in await tenant.posts()] == [201, 201], "not asked for again"


async def test_a_lost_answer_and_a_slow_replica_at_once(tenant: Tenant) -> None:
    """Given but not shown: the repeat is refused as a duplicate, which is no failure."""
    await tenant.graph.fail({"method": "POST", "fault": "commit_then_reset", "times": 1})
    assert await tenant.grant_shown_late(refused=1) == DONE


async def test_what_is_never_shown_is_not_called_given(tenant: Tenant) -> None:
    await tenant.graph.configure(consistencyDelaySeconds=3600)
    assert await tenant.grant(*WHO, "--yes", "--patience", "10") == FAILED
    assert "could not be verified" in tenant.error
    assert "Given" not in tenant.out


async def test_an_identity_is_found_by_name_and_a_client_id_is_told_apart(tenant: Tenant) -> None:
    assert await tenant.grant("--name", "connorg-identity", "--yes") == DONE
    assert await tenant.grant("--principal-id", APP_ID, "--yes") == FAILED
    assert f"--principal-id {PRINCIPAL_ID}" in tenant.error
    unknown = "aaaaaaaa-1111-4111-8111-111111111111"
    assert await tenant.grant("--principal-id", unknown, "--yes", "--patience", "0.1") == FAILED
    assert unknown in tenant.error


async def test_two_of_one_name_are_not_guessed_between(tenant: Tenant) -> None:
    twin = LOGIC_APP | {"displayName": "connorg-identity"}
    await tenant.graph.control("PUT", "principals", [twin])
    assert await tenant.grant("--name", "connorg-identity", "--yes") == FAILED
    assert PRINCIPAL_ID in tenant.error
    assert LOGIC_APP["id"] in tenant.error
    assert await tenant.posts() == []


UNIT = "/administrativeUnits/aaaaaaaa-2222-4222-8222-222222222222"
TWIN = {
    "id": "bbbbbbbb-1111-4111-8111-111111111111",
    "appId": "bbbbbbbb-2222-4222-8222-222222222222",
    "displayName": "Microsoft Graph",
    "appRoles": [
        {"id": WRITE, "value": "EntitlementManagement.ReadWrite.All"},
        {"id": LOOKUP, "value": "CrossTenantInformation.ReadBasic.All"},
    ],
}
"""Another app whose app roles look like those of Microsoft Graph."""


async def assign(tenant: Tenant, path: str, **body: object) -> None:
    assert (await tenant.graph.call("POST", f"/v1.0/{path}", body)).status == 201


@pytest.mark.parametrize("scope", [UNIT, f"/{APP_ID}"], ids=["unit", "application"])
async def test_a_role_over_a_part_of_the_directory_is_not_the_role(
    tenant: Tenant, scope: str
) -> None:
    role = {"principalId": PRINCIPAL_ID, "roleDefinitionId": GOVERNANCE}
    path = "roleManagement/directory/roleAssignments"
    await assign(tenant, path, **role, directoryScopeId=scope)
    assert await tenant.grant(*WHO, "--no-tenant-lookup", "--check") == LACKING
    assert "directory role Identity Governance Administrator" in tenant.out
    assert await tenant.grant(*WHO, "--no-tenant-lookup", "--yes") == DONE
    [*_, made] = await tenant.posts()
    assert made["body"]["directoryScopeId"] == "/"
    assert await tenant.grant(*WHO, "--no-tenant-lookup", "--check") == DONE


async def test_an_app_role_of_another_app_is_not_the_app_role(tenant: Tenant) -> None:
    await tenant.graph.control("PUT", "principals", [TWIN])
    path = f"servicePrincipals/{PRINCIPAL_ID}/appRoleAssignments"
    for role in (WRITE, LOOKUP):
        resource = {"resourceId": TWIN["id"], "appRoleId": role}
        await assign(tenant, path, principalId=PRINCIPAL_ID, **resource)
    assert await tenant.grant(*WHO, "--with", "app-role", "--check") == LACKING
    for right in ("EntitlementManagement.ReadWrite.All", "CrossTenantInformation.ReadBasic.All"):
        assert f"  - app role {right}" in tenant.out
    assert await tenant.grant(*WHO, "--with", "app-role", "--yes") == DONE
    *_, one, other = await tenant.posts()
    assert {one["body"]["resourceId"], other["body"]["resourceId"]} == {GRAPH_PRINCIPAL_ID}


async def test_another_right_of_the_same_identity_is_not_the_right(tenant: Tenant) -> None:
    """Reading entitlement management is not writing it, and one app role is not the other."""
    path = f"servicePrincipals/{PRINCIPAL_ID}/appRoleAssignments"
    for role in ("c74fd47d-ed3c-45c3-9a9e-b8676de685d2", LOOKUP):
        resource = {"resourceId": GRAPH_PRINCIPAL_ID, "appRoleId": role}
        await assign(tenant, path, principalId=PRINCIPAL_ID, **resource)
    assert await tenant.grant(*WHO, "--with", "app-role", "--check") == LACKING
    assert "  - app role EntitlementManagement.ReadWrite.All" in tenant.out
    assert "  - app role CrossTenantInformation.ReadBasic.All" not in tenant.out


async def test_what_another_identity_holds_is_not_held(tenant: Tenant) -> None:
    await tenant.graph.control("PUT", "principals", [LOGIC_APP])
    other, resource = LOGIC_APP["id"], {"resourceId": GRAPH_PRINCIPAL_ID, "appRoleId": LOOKUP}
    await assign(
        tenant, f"servicePrincipals/{other}/appRoleAssignments", principalId=other, **resource
    )
    path, role = "roleManagement/directory/roleAssignments", {"roleDefinitionId": GOVERNANCE}
    await assign(tenant, path, principalId=other, **role, directoryScopeId="/")
    assert await tenant.grant(*WHO, "--check") == LACKING
    for right in ("Identity Governance Administrator", "CrossTenantInformation.ReadBasic.All"):
        assert right in tenant.out


async def test_a_caller_gets_roles_of_connorg(tenant: Tenant) -> None:
    await tenant.graph.control("PUT", "principals", [CONNORG, LOGIC_APP])
    caller = ["caller", "--name", "partner's flow", "--app", str(CONNORG["appId"])]
    both = ["--role", "Onboarding.Submit", "--role", "Onboarding.Read"]
    assert await tenant.grant(*caller, *both, "--yes") == DONE
    assert await tenant.given() == {role["id"] for role in CONNORG["appRoles"]}  # type: ignore[index]
    assert await tenant.grant(*caller, *both, "--check") == DONE
    assert await tenant.grant(*caller, "--role", "Onboarding.Manage", "--yes") == FAILED
    assert "no app role Onboarding.Manage" in tenant.error


@pytest.mark.parametrize(
    "arguments", [[], ["--principal-id", "no-guid"], ["caller", *WHO], [*WHO, "--with", "magic"]]
)
async def test_wrong_arguments_are_told(tenant: Tenant, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        await tenant.grant(*arguments)
    assert ended.value.code == 2
