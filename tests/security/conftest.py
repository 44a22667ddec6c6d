"""A stack of its own that takes callers with a token of Entra alone, as Azure would run it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from infra.local.azurite import free_port
from infra.local.tokens import HOME_TENANT_ID
from tests import senders
from tests.conftest import DEPLOYED
from tests.end_to_end.client import eventually
from tests.security.attacked import AUDIENCE, Attacked
from tests.stack import Stack


@pytest.fixture(scope="session")
def guarded_stack() -> Iterator[Stack]:
    port = free_port()
    settings = {
        **DEPLOYED,
        **senders.SETTINGS,
        "CONNORG_REQUIRE_ENTRA": "true",
        "CONNORG_ENTRA_TENANT": HOME_TENANT_ID,
        "CONNORG_ENTRA_AUDIENCE": AUDIENCE,
        "CONNORG_ENTRA_AUTHORITY": f"http://127.0.0.1:{port}",
    }
    with Stack(settings=settings, ports={"identity": port}) as stack:
        yield stack


@pytest.fixture(scope="session")
async def guarded(guarded_stack: Stack) -> AsyncIterator[Attacked]:
    async with Attacked(guarded_stack) as attacked:
        await eventually(attacked.is_healthy, "it does not become healthy")
        yield attacked
        assert attacked.logged_secrets() == []
