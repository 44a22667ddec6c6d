"""The live suite starts only where it is told to, and leaves nothing behind. In emulators alone."""

import asyncio
import os
import sys
from collections.abc import Mapping

import pytest
from aiohttp.test_utils import TestServer

from infra.local.identity import create_app
from infra.local.tokens import LOCAL_IDENTITY_HEADER, TOKEN_PATH
from tests.contract.graph_emulator import domain, emulated_graph
from tests.live.live import ORGANIZATIONS, Live
from tests.live.place import NAMES, NotExplicitError, Place, emulated_place, root_of


async def run(*arguments: str, **environment: str) -> tuple[int | None, str]:
    """Its exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.live", *arguments),
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_it_does_not_start_without_being_told_where() -> None:
    code, said = await run()
    assert code == 2
    assert "Set CONNORG_LIVE to the cloud of the tenant" in said


@pytest.mark.parametrize(
    ("named", "root"),
    [
        ("global", "https://graph.microsoft.com"),
        ("china", "https://microsoftgraph.chinacloudapi.cn"),
        ("https://graph.microsoft.us/", "https://graph.microsoft.us"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_a_tenant_is_told_by_cloud_or_root(named: str, root: str) -> None:
    assert root_of({"CONNORG_LIVE": named}) == root


@pytest.mark.parametrize("environment", [{}, {"CONNORG_LIVE": ""}, {"CONNORG_LIVE": "1"}])
def test_nothing_else_is_taken_for_one(environment: Mapping[str, str]) -> None:
    with pytest.raises(NotExplicitError):
        root_of(environment)


@pytest.mark.slow
async def test_it_says_what_it_makes_runs_in_that_tenant_and_leaves_it_empty() -> None:
    """An emulator that stands in for a real tenant: reached by address, signed in to as there."""
    async with TestServer(create_app()) as identity, emulated_graph() as graph:
        tenant = {
            "CONNORG_LIVE": graph.root,
            "IDENTITY_ENDPOINT": str(identity.make_url(TOKEN_PATH)),
            "IDENTITY_HEADER": LOCAL_IDENTITY_HEADER,
        }
        foreign = await graph.create(domain("foreign.example"))
        code, said = await run("-k", "test_organizations", **tenant)
        assert code == 0, said
        assert NAMES in said
        assert graph.root in said
        assert "CONNORG_LIVE_TENANT names no tenant" in said  # skipped, with the reason
        left = await graph.control("GET", "organizations")
        assert [organization["id"] for organization in left] == [foreign]
        requests = await graph.control("GET", "requests")
        made = [sent["body"] for sent in requests if sent["status"] == 201][1:]
        assert made
        for body in made:
            assert body["displayName"].startswith(NAMES)
            (source,) = body["identitySources"]
            assert source["domainName"].endswith(".connorg-live.example")

        await graph.create(domain("left.example", displayName=f"{NAMES}0 1"))
        code, said = await run("--clean", **tenant)
        assert (code, said) == (0, f"deleted {NAMES}0 1\n")
        left = await graph.control("GET", "organizations")
        assert [organization["id"] for organization in left] == [foreign]


async def fail_after_a_create(place: Place) -> None:
    async with Live.at(place, "v1.0") as live:
        assert (await live.call("POST", ORGANIZATIONS, live.body())).status == 201
        raise ZeroDivisionError


async def test_a_test_that_fails_leaves_nothing_behind() -> None:
    async with emulated_place() as place:
        with pytest.raises(ZeroDivisionError):
            await fail_after_a_create(place)
        assert place.emulated is not None
        assert await place.emulated.control("GET", "organizations") == []


async def test_what_was_made_and_its_answer_lost_is_swept_page_by_page() -> None:
    async with emulated_place() as place, Live.at(place, "v1.0") as live:
        assert place.emulated is not None
        for number in range(150):
            await place.emulated.create(domain(f"{number}.example"))
        await place.emulated.fail({"fault": "commit_then_status", "status": 500, "method": "POST"})
        assert (await live.call("POST", ORGANIZATIONS, live.body())).status == 500
        await place.emulated.fail()
        assert len(await live.sweep(place.prefix)) == 1
        assert len(await place.emulated.control("GET", "organizations")) == 150


async def test_what_cannot_be_deleted_is_told() -> None:
    async with emulated_place() as place, Live.at(place, "v1.0") as live:
        assert place.emulated is not None
        await place.emulated.fail({"fault": "status", "status": 500, "method": "DELETE"})
        answer = await live.call("POST", ORGANIZATIONS, live.body())
        with pytest.raises(RuntimeError, match=answer.body["id"]):
            await live.leave()
