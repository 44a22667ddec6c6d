"""Health: can the app keep what it is sent, and can it reach Graph? And the warm-up."""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress

import azure.functions as func
from azure.functions.warmup import WarmUpContext

from connorg.contract.health import Check, Health, HealthStatus
from connorg.contract.release import RELEASE
from connorg.contract.storage_names import ONBOARDING_QUEUE
from connorg.core.ports import StorageUnavailableError, TokenUnavailableError
from connorg.core.throttle.gate import Gate
from connorg.core.troubles import stalled
from connorg.functions.http.answers import json_answer
from connorg.functions.unattended import unattended
from connorg.settings import ConfigurationError
from connorg.wiring import message_queue, services, token_for_graph

_log = logging.getLogger(__name__)
_PATIENCE = 8  # seconds for each check


async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the worker's name for it
    """GET health: 503 while nothing can be accepted; 200 with causes while only Graph is missed."""
    try:
        services()
    except ConfigurationError as error:
        _log.error("%s", error)
        return _answer("unhealthy", (_misconfigured(error),), 503)
    ledger, queue, identity = await asyncio.gather(_ledger(), _queue(), _identity())
    checks = [ledger[0], queue, identity, _graph(ledger[1]), _tenant_lookup(ledger[1])]
    unready = any(check.status == "unhealthy" for check in checks[:2])
    degraded = any(check.status != "healthy" for check in checks)
    status: HealthStatus = "unhealthy" if unready else "degraded" if degraded else "healthy"
    return _answer(status, tuple(checks), 503 if unready else 200)


@unattended
async def warm_up(warm: WarmUpContext) -> None:  # noqa: ARG001  the worker's name for it
    """Make the clients and a token ready before the first request; a failure does not matter."""
    # In this order: the services would fetch the token a second time if it were still under way.
    try:
        await token_for_graph()
    except TokenUnavailableError:
        _log.warning("no token for Microsoft Graph at start; requests are stored and retried")
    with suppress(StorageUnavailableError):
        await services().throttle.gate()


def _answer(status: HealthStatus, checks: tuple[Check, ...], code: int) -> func.HttpResponse:
    body = Health(version=RELEASE, status=status, checks=checks)
    return json_answer(body.model_dump(mode="json", exclude_none=True), code)


def _misconfigured(error: ConfigurationError) -> Check:
    return Check(
        name="settings",
        status="misconfigured",
        detail=f"{error} Every other route answers 500, and messages wait on their queues.",
        action="Correct the app settings and restart.",
    )


async def _ledger() -> tuple[Check, Gate]:
    try:
        gate = await in_time(services().throttle.gate())
    except (StorageUnavailableError, TimeoutError) as error:
        return unreachable("ledger", error), Gate()
    return Check(name="ledger", status="healthy"), gate


async def _queue() -> Check:
    try:
        # There or not: it is made with the first message.
        backlog = await in_time(message_queue(ONBOARDING_QUEUE).backlog())
    except (StorageUnavailableError, TimeoutError) as error:
        return unreachable("queue", error)
    read = stalled(ONBOARDING_QUEUE, backlog, services().clock.now())
    return read.model_copy(update={"name": "queue"})


async def _identity() -> Check:
    try:
        await in_time(token_for_graph())
    except (TokenUnavailableError, TimeoutError):
        return Check(
            name="identity",
            status="unhealthy",
            detail="The managed identity returns no token for Microsoft Graph."
            " Requests are stored and wait.",
            action="Check that the app has a managed identity and that AZURE_CLIENT_ID names it.",
        )
    return Check(name="identity", status="healthy")


def _graph(gate: Gate) -> Check:
    """Return the check, without sentences of Graph: `health/details` shows them."""
    if gate.blocked is not None:
        return Check(
            name="graph",
            status="blocked",
            detail=f"It refuses the app ({gate.blocked.code}). Requests are stored and wait.",
            action=gate.blocked.action,
        )
    if gate.is_closed(services().clock.now()):
        return Check(
            name="graph",
            status="throttled",
            detail=f"Microsoft Graph asked not to be called before {gate.closed_until}.",
        )
    return Check(name="graph", status="healthy")


def _tenant_lookup(gate: Gate) -> Check:
    """Never makes the app unwell: it does without."""
    name = "tenantLookup"
    if not services().tenant_lookup:
        return Check(name=name, status="healthy", detail="Switched off by CONNORG_TENANT_LOOKUP.")
    if gate.denies_lookups(services().clock.now()):
        return Check(
            name=name,
            status="healthy",
            detail="Skipped: the app may not look tenants up, or Graph does not offer it here.",
            action="Grant the app's managed identity the app role"
            " CrossTenantInformation.ReadBasic.All of Microsoft Graph.",
        )
    return Check(name=name, status="healthy")


async def in_time[T](check: Awaitable[T]) -> T:
    async with asyncio.timeout(_PATIENCE):
        return await check


def unreachable(name: str, error: Exception) -> Check:
    return Check(
        name=name,
        status="unhealthy",
        detail=f"The storage account is not reachable: {str(error) or 'no answer in time'}.",
        action="Check that the account exists, that its firewall allows the app, and that the app's"
        " identity may contribute to its tables and queues.",
    )
