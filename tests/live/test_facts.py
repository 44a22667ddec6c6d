"""What is recorded of a Graph makes the emulator answer as that Graph does."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.contract.graph_emulator import until
from tests.live.live import Live
from tests.live.place import Place, emulated_place
from tests.live.probe import QUESTIONS, probe, record, seconds_until_seen

RECORDS = Path(__file__).parents[2] / ".local" / "live"
ODD = {"status": 418, "code": "Peculiar", "message": "As it was observed."}
REFUSALS = sorted(set(QUESTIONS) - {"update"})


async def recorded(config: dict[str, Any], version: str = "v1.0") -> dict[str, Any]:
    """Of a fresh emulator that is configured so."""
    async with emulated_place() as place, Live.at(place, version) as live:
        assert place.emulated is not None
        await place.emulated.configure(**config)
        return record(live, await probe(live))


async def test_what_is_unknown_is_recorded(live: Live, place: Place, tmp_path: Path) -> None:
    facts = await probe(live)
    folder = tmp_path if place.emulated else RECORDS
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{place.run_id}-{live.base.rpartition('/')[2]}.json"
    file.write_text(json.dumps(record(live, facts), indent=2))

    async def nothing_is_left() -> bool:
        return not await live.leftovers(place.prefix)

    await live.eventually(nothing_is_left)
    # Whatever was found, the emulator takes it over.
    read = json.loads(file.read_text())
    async with emulated_place() as fresh:
        assert fresh.emulated is not None
        await fresh.emulated.control("PUT", "config", read["config"])


# What follows runs in emulators alone


CONFIGURATIONS: dict[str, tuple[dict[str, Any], dict[str, tuple[int, str | None]]]] = {
    "as assumed": (
        {},
        {
            "unknownDomain": (201, None),
            "duplicateDomain": (400, "IdentityProviderAlreadyConfigured"),
            "duplicateTenant": (400, "ConnectedOrganizationAlreadyExists"),
            "duplicateDisplayName": (201, None),
            "ownTenant": (201, None),
            "ownDomain": (201, None),
            "secondSource": (400, "BadRequest"),
            "inlineSponsors": (501, "NotEmulated"),
            "readUnknown": (404, "ResourceNotFound"),
            "updateUnknown": (404, "ResourceNotFound"),
            "deleteUnknown": (404, "ResourceNotFound"),
            "repeatedSponsor": (204, None),
            "unknownSponsor": (404, "Request_ResourceNotFound"),
            "unknownFilter": (400, "BadRequest"),
            "update": (204, None),
        },
    ),
    "by the older switches": (
        {
            "duplicateStatus": 409,
            "uniqueDisplayNames": True,
            "repeatedSponsorStatus": 400,
            "patchStatus": 202,
        },
        {
            "duplicateDomain": (409, "IdentityProviderAlreadyConfigured"),
            "duplicateTenant": (409, "ConnectedOrganizationAlreadyExists"),
            "duplicateDisplayName": (409, "ConnectedOrganizationAlreadyExists"),
            "repeatedSponsor": (400, "Request_BadRequest"),
            "update": (202, None),
        },
    ),
    "otherwise in everything": (
        {
            "patchStatus": 200,
            "refusals": {
                name: {**ODD, "code": name} for name in REFUSALS if name != "unknownDomain"
            },
        },
        {name: (418, name) for name in REFUSALS if name != "unknownDomain"}
        | {"update": (200, None)},
    ),
    "no domain that nobody has": (
        {"refusals": {"unknownDomain": ODD}},
        {"unknownDomain": (418, "Peculiar"), "repeatedSponsor": (204, None), "update": (204, None)},
    ),
}


@pytest.mark.parametrize(("config", "expected"), CONFIGURATIONS.values(), ids=CONFIGURATIONS)
async def test_a_record_makes_another_emulator_answer_the_same(
    config: dict[str, Any], expected: dict[str, tuple[int, str | None]]
) -> None:
    first = await recorded(config)
    facts = first["facts"]
    told = {name: (facts[name]["status"], facts[name]["code"]) for name in expected}
    assert told == expected
    second = await recorded(json.loads(json.dumps(first["config"])))
    assert second["facts"] == facts
    assert second["config"] == first["config"]
    assert first["notEmulated"] == []


async def test_what_cannot_be_asked_is_not_made_up() -> None:
    first = await recorded({"roles": ["EntitlementManagement.ReadWrite.All"]})
    assert first["facts"]["ownDomain"] is None
    assert "ownDomain" not in first["config"]["refusals"]


async def test_a_delay_is_measured_until_the_organization_is_seen() -> None:
    async with emulated_place() as place, Live.at(place, "v1.0") as live:
        graph = place.emulated
        assert graph is not None
        await graph.configure(consistencyDelaySeconds=3600)

        async def looked_in_vain() -> bool:
            answers = [request["status"] for request in await graph.control("GET", "requests")]
            return 404 in answers

        measuring = asyncio.create_task(seconds_until_seen(live))
        await until(looked_in_vain)
        await graph.configure(consistencyDelaySeconds=0)
        seen = await measuring
        assert seen is not None
        assert seen["read"] > 0


def test_an_answer_that_the_emulator_cannot_give_is_told() -> None:
    taken = {"status": 201, "code": None, "message": None}
    live: Any = type("AnyLive", (), {"base": "https://graph.example/v1.0"})
    facts = {**dict.fromkeys(QUESTIONS), "duplicateDomain": taken, "delaySeconds": None}
    told = record(live, facts)
    assert told["notEmulated"] == ["duplicateDomain"]
    assert told["config"] == {"refusals": {}}
