"""Health in detail, for operators: what not everybody may know. It holds no secret."""

import asyncio
import base64
import binascii
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Literal

import azure.functions as func

from connorg.contract.health import Check, Health
from connorg.contract.release import RELEASE
from connorg.contract.storage_names import LEDGER_TABLE, ONBOARDING_QUEUE, QUEUES
from connorg.core.ports import StoragePart, StorageUnavailableError, TokenUnavailableError
from connorg.core.troubles import troubles
from connorg.functions.endpoints.health import in_time, unreachable
from connorg.functions.http.answers import json_answer
from connorg.settings import (
    CALLBACK_SECRETS,
    RESULT_SECRETS,
    ConfigurationError,
    callback_keys,
    result_secrets,
    settings,
)
from connorg.wiring import (
    message_queue,
    services,
    storage_parts,
    token_for_graph,
    webhook_senders,
)

WRITE_ROLE = "EntitlementManagement.ReadWrite.All"
LOOKUP_ROLE = "CrossTenantInformation.ReadBasic.All"
_GOVERNANCE = "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e"  # Identity Governance Administrator's template
_FIRST = (f"queue {ONBOARDING_QUEUE}", f"table {LEDGER_TABLE}")
_AGE = (
    "A managed identity's token is cached for up to 24 hours. A permission that was granted since"
    " it was issued is only in the next one."
)


async def diagnose(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the worker's name for it
    """GET health/details: the token's permissions, queues and tables, failures, settings."""
    stored, seen, said = (
        asyncio.create_task(each) for each in (_stored(storage_parts()), _troubles(), _said())
    )
    checks = (*await _token(), *await said, *await stored, *await seen, *_settings())
    well = all(check.status == "healthy" for check in checks)
    status: Literal["healthy", "degraded"] = "healthy" if well else "degraded"
    body = Health(version=RELEASE, status=status, checks=checks)
    return json_answer(body.model_dump(mode="json", exclude_none=True), 200)


async def _said() -> tuple[Check, ...]:
    """Say in Graph's words why it does not let the app in; nothing where it does."""
    with suppress(StorageUnavailableError, TimeoutError):
        blocked = (await in_time(services().throttle.gate())).blocked
        if blocked is not None:
            detail = f"{blocked.message} (request-id {blocked.graph_request_id})"
            action = blocked.action
            return (Check(name="graphAnswer", status="blocked", detail=detail, action=action),)
    return ()


async def _token() -> tuple[Check, ...]:
    """Say what the token for Graph lets the app do; nothing where there is none: health says so."""
    try:
        claims = _claims(await in_time(token_for_graph()))
    except (TokenUnavailableError, TimeoutError):
        return ()
    roles = sorted(claims.get("roles", ()))
    checks = [_permission(roles, claims)]
    if settings().tenant_lookup:
        checks.append(_lookup(roles))
    return tuple(checks)


def _permission(roles: list[str], claims: dict[str, Any]) -> Check:
    issued = datetime.fromtimestamp(claims.get("iat", 0), UTC).isoformat()
    held = f"The token of {issued} carries {', '.join(roles) or 'no app role'}."
    if WRITE_ROLE in roles or _GOVERNANCE in claims.get("wids", ()):
        return Check(name="permission", status="healthy", detail=held)
    return Check(
        name="permission",
        status="unknown",
        detail=f"{held} That will do only if the identity has the directory role Identity"
        f" Governance Administrator, which a token need not show. {_AGE}",
        action=f"Grant the directory role or {WRITE_ROLE}, unless one of them is granted.",
    )


def _lookup(roles: list[str]) -> Check:
    if LOOKUP_ROLE in roles:
        return Check(name="tenantLookupPermission", status="healthy")
    return Check(
        name="tenantLookupPermission",
        status="missing",
        detail=f"The token does not have {LOOKUP_ROLE}: tenants are not looked up. A domain and its"
        " tenant may be taken for two partners, and the home tenant behind a domain is not"
        f" recognised. {_AGE}",
        action=f"Grant {LOOKUP_ROLE}, or set CONNORG_TENANT_LOOKUP=false.",
    )


def _claims(token: str) -> dict[str, Any]:
    """Read the content of a token. Nobody gets access by it, so it is not verified."""
    try:
        content = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


async def _stored(parts: Mapping[str, StoragePart]) -> list[Check]:
    """Say what is there. Each part is made when it is first needed, if no deployment made it.

    The first request needs those of _FIRST, so one of them without the other was deleted.
    """
    found = dict(zip(parts, await asyncio.gather(*map(_is_there, parts.values())), strict=True))
    is_used = any(found[name] is True for name in _FIRST)
    return [_part(name, there, is_used=is_used) for name, there in found.items()]


async def _is_there(part: StoragePart) -> bool | Exception:
    try:
        return await in_time(part.is_there())
    except (StorageUnavailableError, TimeoutError) as error:
        return error


def _part(name: str, there: bool | Exception, *, is_used: bool) -> Check:  # noqa: FBT001  as it came
    if isinstance(there, Exception):
        return unreachable(name, there)
    if there:
        return Check(name=name, status="healthy")
    if name not in _FIRST or not is_used:
        return Check(
            name=name, status="healthy", detail="Not needed yet; it is created when needed."
        )
    return Check(
        name=name,
        status="missing",
        detail=f"The storage account has no {name}, which the app has used: its content is lost.",
        action='Create it, and read "Storage lost" in docs/operations.md.',
    )


async def _troubles() -> tuple[Check, ...]:
    """Say what went wrong lately; nothing where storage is not reachable: the rest says so."""
    queues = {name: message_queue(name) for name in QUEUES}
    with suppress(StorageUnavailableError, TimeoutError):
        now = services().clock.now()
        return await in_time(troubles(services().ledger, queues, now))
    return ()


def _settings() -> Iterator[Check]:
    yield _secret("callbackSecret", CALLBACK_SECRETS, callback_keys, "There are no callbacks.")
    without = "Result addresses do not expire."
    yield _secret("resultSecret", RESULT_SECRETS, result_secrets, without)
    yield from _webhooks()
    entra = settings().require_entra
    detail = "Callers need an Entra token." if entra else "Callers need a function key."
    yield Check(name="callers", status="healthy", detail=detail)


def _secret(name: str, setting: str, read: Callable[[], tuple[Any, ...]], without: str) -> Check:
    try:
        there = read()
    except ConfigurationError as error:
        return _wrong(name, str(error))
    if not there and os.environ.get(setting, "").strip():
        return _wrong(name, f"{setting} holds a Key Vault reference that was not resolved.")
    return Check(name=name, status="healthy", detail=None if there else f"Not set. {without}")


def _webhooks() -> Iterator[Check]:
    try:
        senders = webhook_senders()
    except ConfigurationError as error:
        yield _wrong("webhooks", str(error))
        return
    from connorg.webhooks.senders import sharing  # noqa: PLC0415  other calls' cold start goes without

    shared = sharing(senders)
    for name, sender in senders.items():
        try:
            sender.keys()
        except ConfigurationError as error:
            yield _wrong(f"webhook {name}", str(error))
            continue
        others = ", ".join(shared[name])
        yield Check(
            name=f"webhook {name}",
            status="healthy",
            detail=f"Anybody who knows its secret can pose as {others}." if others else None,
            action="Set a secret of its own for each source." if others else None,
        )


def _wrong(name: str, detail: str) -> Check:
    return Check(
        name=name,
        status="misconfigured",
        detail=detail,
        action="Correct the app setting. If it is a Key Vault reference, check that the app's"
        " identity may read the secret (Key Vault Secrets User).",
    )
