"""The Graph emulator answers what nobody has published as it was observed, where it is told so."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple, get_args

import pytest

from infra.local import tokens
from infra.local.graph.errors import Situation
from tests.contract.graph_emulator import (
    ORGANIZATIONS,
    PARTNER_ID,
    USER,
    EmulatedGraph,
    Response,
    domain,
    emulated_graph,
    tenant,
)

OBSERVED = {"status": 418, "code": "Peculiar", "message": "As it was observed."}


class Case(NamedTuple):
    """`first` is created before; `{id}` in the path stands for it."""

    body: Any = None
    first: dict[str, Any] | None = None
    method: str = "POST"
    path: str = ""
    is_taken: bool = False
    """Unless it is configured."""


def two_sources() -> dict[str, Any]:
    sources = [domain(name)["identitySources"][0] for name in ("a.example", "b.example")]
    return domain("a.example", identitySources=sources)


SPONSORS = "/{id}/internalSponsors/$ref"
CASES: Mapping[str, Case] = {
    "duplicateTenant": Case(tenant(PARTNER_ID, displayName="x"), first=tenant(PARTNER_ID)),
    "duplicateDomain": Case(domain("a.example", displayName="x"), first=domain("a.example")),
    "duplicateDisplayName": Case(
        tenant(PARTNER_ID, displayName="x"),
        first=domain("contoso.io", displayName="x"),
        is_taken=True,
    ),
    "unknownDomain": Case(domain("a.example"), is_taken=True),
    "ownTenant": Case(tenant(tokens.HOME_TENANT_ID.upper()), is_taken=True),
    "ownDomain": Case(domain("Home.example"), is_taken=True),
    "secondSource": Case(two_sources()),
    "inlineSponsors": Case({**domain("a.example"), "internalSponsors@odata.bind": ["x"]}),
    "readUnknown": Case(method="GET", path=f"/{PARTNER_ID}"),
    "updateUnknown": Case({"state": "proposed"}, method="PATCH", path=f"/{PARTNER_ID}"),
    "deleteHeld": Case(first=domain("a.example"), method="DELETE", path="/{id}"),
    "deleteUnknown": Case(method="DELETE", path=f"/{PARTNER_ID}"),
    "repeatedSponsor": Case(
        f"users/{USER['id']}", domain("a.example"), path=SPONSORS, is_taken=True
    ),
    "unknownSponsor": Case(f"users/{PARTNER_ID}", domain("a.example"), path=SPONSORS),
    "unknownFilter": Case(method="GET", path="?$filter=colour eq 'blue'"),
}


@pytest.fixture
async def graph() -> AsyncIterator[EmulatedGraph]:
    async with emulated_graph() as graph:
        await graph.tenants()
        yield graph


async def meet(graph: EmulatedGraph, case: Case) -> Response:
    first = await graph.create(case.first) if case.first else ""
    path = ORGANIZATIONS + case.path.replace("{id}", first)
    if case == CASES["deleteHeld"]:
        await graph.configure(holds=[first])
    body = case.body
    if isinstance(body, str):
        body = {"@odata.id": f"{graph.root}/v1.0/{body}"}
    if case == CASES["repeatedSponsor"]:
        assert (await graph.call("POST", path, body)).status == 204
    return await graph.call(case.method, path, body)


def test_every_situation_has_its_case() -> None:
    assert set(CASES) == set(get_args(Situation.__value__))


@pytest.mark.parametrize("situation", CASES)
async def test_what_was_observed_takes_the_place_of_what_is_assumed(
    graph: EmulatedGraph, situation: str
) -> None:
    case = CASES[situation]
    assumed = await meet(graph, case)
    assert (assumed.status < 300) == case.is_taken
    assert assumed.status != OBSERVED["status"]
    await graph.control("DELETE", "")
    await graph.tenants()
    await graph.configure(refusals={situation: OBSERVED})
    told = await meet(graph, case)
    assert told.status == OBSERVED["status"]
    error = told.body["error"]
    assert (error["code"], error["message"]) == (OBSERVED["code"], OBSERVED["message"])


@pytest.mark.parametrize("situation", CASES)
async def test_one_situation_is_not_another(graph: EmulatedGraph, situation: str) -> None:
    case = CASES[situation]
    # Nothing gets as far as to be a duplicate of what could not be created.
    others = set(CASES) - {situation, "unknownDomain"}
    await graph.configure(refusals=dict.fromkeys(others, OBSERVED))
    assert (await meet(graph, case)).status != OBSERVED["status"]


async def test_without_a_message_it_is_the_emulators_own(graph: EmulatedGraph) -> None:
    told = {"status": 409, "code": "Peculiar"}
    await graph.configure(refusals={"duplicateDomain": told, "unknownDomain": told})
    refused = await graph.call("POST", ORGANIZATIONS, domain("a.example"))
    assert refused.body["error"]["message"]


@pytest.mark.parametrize(
    "refusals",
    [
        {"colour": OBSERVED},
        {"duplicateTenant": {"status": 204, "code": "x"}},
        {"duplicateTenant": {"status": 409}},
        {"duplicateTenant": None},
    ],
)
async def test_what_is_no_refusal_is_not_taken(
    graph: EmulatedGraph, refusals: dict[str, Any]
) -> None:
    with pytest.raises(AssertionError, match="message"):
        await graph.configure(refusals=refusals)
