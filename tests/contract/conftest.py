"""Graphs to test an organization gateway against."""

from collections.abc import AsyncIterator

import pytest

from connorg.core.ports import OrganizationGateway
from tests.contract.graphs import Emulator, GraphUnderTest, SimulatedGraph, emulated


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with emulated("v1.0") as emulator:
        yield emulator


@pytest.fixture(params=["simulated", "v1.0", "beta"])
async def under_test(request: pytest.FixtureRequest) -> AsyncIterator[GraphUnderTest]:
    if request.param == "simulated":
        yield SimulatedGraph()
        return
    async with emulated(request.param) as emulator:
        yield emulator


@pytest.fixture
def gateway(under_test: GraphUnderTest) -> OrganizationGateway:
    return under_test.gateway
