"""Graphs to test an organization gateway against, and tables to test the ledger on."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from azure.data.tables.aio import TableClient

from connorg.core.ports import OrganizationGateway
from tests.authority import trust
from tests.contract.graphs import Emulator, GraphUnderTest, SimulatedGraph, emulated
from tests.dialects import DIALECTS
from tests.simulation.storage import SimulatedTableClient, Table, by_turns

__all__ = ["trust"]

# For tables and queues that are tried beside simulated ones.
AZURITE = pytest.param("azurite", marks=[pytest.mark.stack, pytest.mark.xdist_group("storage")])


# In one worker: to import the models of Graph's SDK, which reading one may do, takes two seconds.
IMPORTS_ALL_MODELS = pytest.mark.xdist_group("models of the SDK")
# A test of hundreds of calls is made on the simulated table; with the slow tests on Azurite's too.
LONG = pytest.mark.parametrize(
    "any_table",
    ["simulated", pytest.param("azurite", marks=[*AZURITE.marks, pytest.mark.slow])],
    indirect=True,
)


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with emulated("v1.0") as emulator:
        yield emulator


@pytest.fixture(
    params=[
        "simulated",
        "v1.0",
        *(pytest.param(dialect, marks=pytest.mark.slow) for dialect in DIALECTS),
    ]
)
async def under_test(request: pytest.FixtureRequest) -> AsyncIterator[GraphUnderTest]:
    if request.param == "simulated":
        yield SimulatedGraph()
        return
    async with emulated("v1.0") as emulator:
        await emulator.graph.configure(**DIALECTS.get(request.param, {}))
        yield emulator


@pytest.fixture
def gateway(under_test: GraphUnderTest) -> OrganizationGateway:
    return under_test.gateway


@pytest.fixture(params=["simulated", AZURITE])
async def any_table(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A table that does not exist yet."""
    if request.param == "simulated":
        yield SimulatedTableClient(Table(), by_turns)
        return
    connection = request.getfixturevalue("storage")
    async with TableClient.from_connection_string(connection, f"ledger{uuid4().hex}") as table:
        yield table
