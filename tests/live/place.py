"""Where the live suite runs: an emulator of its own, or the tenant that CONNORG_LIVE names."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestServer
from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

from connorg.contract.clouds import Cloud
from infra.local import tokens
from infra.local.identity import create_app
from infra.local.tokens import LOCAL_IDENTITY_HEADER, TOKEN_PATH
from tests.contract.graph_emulator import PARTNER_ID, USER, EmulatedGraph, emulated_graph

NAMES = "connorg-live-"
"""What the display name of everything begins with that the suite ever makes."""
DOMAINS = "connorg-live.example"  # `example` is nobody's, by RFC 2606


class NotExplicitError(Exception):
    """Nobody said in which tenant to make things. Its text says how to."""


@dataclass(frozen=True)
class Place:
    root: str
    """Of Graph, without a version."""
    credential: AsyncTokenCredential
    run_id: str
    home_tenant: str | None
    partner_tenant: str | None
    """A tenant that may be connected and removed again."""
    sponsor: str | None
    """The object id of a user of the home tenant."""
    emulated: EmulatedGraph | None = None

    @property
    def prefix(self) -> str:
        return f"{NAMES}{self.run_id}"


def is_live(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("CONNORG_LIVE"))


def root_of(environment: Mapping[str, str]) -> str:
    """Raise NotExplicitError."""
    named = environment.get("CONNORG_LIVE", "").rstrip("/")
    if named in set(Cloud):
        return Cloud(named).graph_root
    if named.startswith(("https://", "http://127.0.0.1:")):
        return named
    raise NotExplicitError(
        f"Set CONNORG_LIVE to the cloud of the tenant ({', '.join(Cloud)}) or to the address of"
        " Graph's root. The suite makes connected organizations there, and deletes them."
    )


@asynccontextmanager
async def live_place(environment: Mapping[str, str]) -> AsyncIterator[Place]:
    """Whoever is signed in: azure-identity's DefaultAzureCredential. Raise NotExplicitError."""
    root = root_of(environment)
    async with DefaultAzureCredential() as credential:
        yield Place(
            root,
            credential,
            uuid4().hex[:8],
            home_tenant=environment.get("CONNORG_HOME_TENANT"),
            partner_tenant=environment.get("CONNORG_LIVE_TENANT"),
            sponsor=environment.get("CONNORG_LIVE_SPONSOR"),
        )


@asynccontextmanager
async def emulated_place() -> AsyncIterator[Place]:
    async with TestServer(create_app()) as identity, emulated_graph() as graph:
        await graph.tenants()
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("IDENTITY_ENDPOINT", str(identity.make_url(TOKEN_PATH)))
            environment.setenv("IDENTITY_HEADER", LOCAL_IDENTITY_HEADER)
            async with ManagedIdentityCredential(retry_total=0) as credential:
                yield Place(
                    graph.root,
                    credential,
                    uuid4().hex[:8],
                    home_tenant=tokens.HOME_TENANT_ID,
                    partner_tenant=PARTNER_ID,
                    sponsor=USER["id"],
                    emulated=graph,
                )
