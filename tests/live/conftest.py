"""An emulator for each test, or the tenant that CONNORG_LIVE names for all of them."""

import os
from collections.abc import AsyncIterator

import pytest

from tests.authority import TRUST
from tests.live.live import Live
from tests.live.place import Place, emulated_place, is_live, live_place


@pytest.fixture(scope="session")
async def tenant() -> AsyncIterator[Place | None]:
    """The real one; swept at the end, whatever came of the tests."""
    if not is_live(os.environ):
        yield None
        return
    async with live_place(os.environ) as place:
        yield place
        async with Live.at(place, "v1.0") as live:
            await live.sweep(place.prefix)


@pytest.fixture
async def place(tenant: Place | None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Place]:
    if tenant is not None:
        yield tenant
        return
    for name, value in TRUST.items():
        monkeypatch.setenv(name, value)
    async with emulated_place() as place:
        yield place


@pytest.fixture(params=["v1.0", "beta"])
async def live(request: pytest.FixtureRequest, place: Place) -> AsyncIterator[Live]:
    async with Live.at(place, request.param) as live:
        yield live
