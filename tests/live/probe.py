"""What nobody has published of Graph's answers, asked of Graph itself.

The answers go into a file whose `config` the Graph emulator takes over:

    {"graph", "version", "recordedDateTime", "facts", "config", "notEmulated"}
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.live.live import ORGANIZATIONS, Answer, Live, domain_source, tenant_source

type Fact = dict[str, Any]
"""`status`, and Graph's `code` and `message` where it refused."""

_REFUSED = 400
# The emulator refuses these in any case; what it answers can be configured.
_ALWAYS_REFUSED = frozenset(
    {
        "duplicateTenant",
        "duplicateDomain",
        "secondSource",
        "inlineSponsors",
        "readUnknown",
        "updateUnknown",
        "deleteUnknown",
        "unknownSponsor",
        "unknownFilter",
    }
)


class CannotTellError(Exception):
    """What the question needs is not there."""


# The questions


async def _unknown_domain(live: Live) -> Answer:
    return await live.call("POST", ORGANIZATIONS, live.body())


async def _duplicate_domain(live: Live) -> Answer:
    source = domain_source(live.domain())
    await _made(live, live.body(source))
    return await live.call("POST", ORGANIZATIONS, live.body(source))


async def _duplicate_tenant(live: Live) -> Answer:
    source = tenant_source(_known(live.place.partner_tenant))
    await _made(live, live.body(source))
    return await live.call("POST", ORGANIZATIONS, live.body(source))


async def _duplicate_display_name(live: Live) -> Answer:
    name = live.name()
    await _made(live, live.body(displayName=name))
    return await live.call("POST", ORGANIZATIONS, live.body(displayName=name))


async def _own_tenant(live: Live) -> Answer:
    source = tenant_source(_known(live.place.home_tenant))
    return await live.call("POST", ORGANIZATIONS, live.body(source))


async def _own_domain(live: Live) -> Answer:
    home = _known(live.place.home_tenant)
    function = f"findTenantInformationByTenantId(tenantId='{home}')"
    tenant = await live.call("GET", f"tenantRelationships/{function}")
    if tenant.status >= _REFUSED:
        raise CannotTellError
    source = domain_source(tenant.body["defaultDomainName"])
    return await live.call("POST", ORGANIZATIONS, live.body(source))


async def _second_source(live: Live) -> Answer:
    sources = [domain_source(live.domain()) for _ in range(2)]
    return await live.call("POST", ORGANIZATIONS, live.body(identitySources=sources))


async def _inline_sponsors(live: Live) -> Answer:
    sponsors = [_reference(live, _known(live.place.sponsor))["@odata.id"]]
    body = {**live.body(), "internalSponsors@odata.bind": sponsors}
    return await live.call("POST", ORGANIZATIONS, body)


async def _read_unknown(live: Live) -> Answer:
    return await live.call("GET", f"{ORGANIZATIONS}/{uuid4()}")


async def _update_unknown(live: Live) -> Answer:
    return await live.call("PATCH", f"{ORGANIZATIONS}/{uuid4()}", {"state": "proposed"})


async def _delete_unknown(live: Live) -> Answer:
    return await live.call("DELETE", f"{ORGANIZATIONS}/{uuid4()}")


async def _repeated_sponsor(live: Live) -> Answer:
    reference = _reference(live, _known(live.place.sponsor))
    address = f"{ORGANIZATIONS}/{await _made_and_read(live)}/internalSponsors/$ref"
    first = await live.call("POST", address, reference)
    if first.status >= _REFUSED:
        raise CannotTellError
    return await live.call("POST", address, reference)


async def _unknown_sponsor(live: Live) -> Answer:
    address = f"{ORGANIZATIONS}/{await _made_and_read(live)}/internalSponsors/$ref"
    return await live.call("POST", address, _reference(live, str(uuid4())))


async def _unknown_filter(live: Live) -> Answer:
    return await live.call("GET", f"{ORGANIZATIONS}?$filter=colour eq 'blue'")


async def _update(live: Live) -> Answer:
    address = f"{ORGANIZATIONS}/{await _made_and_read(live)}"
    return await live.call("PATCH", address, {"description": "Another"})


QUESTIONS: Mapping[str, Callable[[Live], Awaitable[Answer]]] = {
    "unknownDomain": _unknown_domain,
    "duplicateDomain": _duplicate_domain,
    "duplicateTenant": _duplicate_tenant,
    "duplicateDisplayName": _duplicate_display_name,
    "ownTenant": _own_tenant,
    "ownDomain": _own_domain,
    "secondSource": _second_source,
    "inlineSponsors": _inline_sponsors,
    "readUnknown": _read_unknown,
    "updateUnknown": _update_unknown,
    "deleteUnknown": _delete_unknown,
    "repeatedSponsor": _repeated_sponsor,
    "unknownSponsor": _unknown_sponsor,
    "unknownFilter": _unknown_filter,
    "update": _update,
}


async def probe(live: Live) -> dict[str, Any]:
    """Ask everything, and give what is known then; None where a question could not be asked."""
    facts: dict[str, Any] = {name: await _ask(live, ask) for name, ask in QUESTIONS.items()}
    return facts | {"delaySeconds": await seconds_until_seen(live)}


async def _ask(live: Live, ask: Callable[[Live], Awaitable[Answer]]) -> Fact | None:
    try:
        answer = await ask(live)
    except CannotTellError:
        return None
    finally:
        await live.leave()
    error = answer.error
    return {
        "status": answer.status,
        "code": error.get("code"),
        "message": error.get("message"),
    }


async def seconds_until_seen(live: Live) -> dict[str, float] | None:
    """How long after its creation an organization is read and listed: 0 at the first look.

    Raise TimeoutError after live.PATIENCE.
    """
    body = live.body()
    begun = time.monotonic()
    try:
        organization_id = await _made(live, body)
    except CannotTellError:
        return None
    where = {
        "read": f"{ORGANIZATIONS}/{organization_id}",
        "listed": f"{ORGANIZATIONS}?$filter=displayName eq '{body['displayName']}'",
    }
    seen: dict[str, float] = {}
    looks = 0

    async def all_seen() -> bool:
        nonlocal looks
        looks += 1
        for name, address in where.items():
            if name not in seen and _shows(await live.call("GET", address)):
                seen[name] = 0.0 if looks == 1 else time.monotonic() - begun
        return len(seen) == len(where)

    await live.eventually(all_seen)
    await live.leave()
    return seen


async def _is_read(live: Live, organization_id: str) -> bool:
    return (await live.call("GET", f"{ORGANIZATIONS}/{organization_id}")).status < _REFUSED


def _shows(answer: Answer) -> bool:
    """Whether it has an organization, by itself or in a list."""
    return answer.status < _REFUSED and bool(answer.body.get("value", True))


async def _made(live: Live, body: dict[str, Any]) -> str:
    """The new organization's id. Raise CannotTellError."""
    answer = await live.call("POST", ORGANIZATIONS, body)
    if answer.status >= _REFUSED:
        raise CannotTellError
    organization_id: str = answer.body["id"]
    return organization_id


async def _made_and_read(live: Live) -> str:
    """The same, with the tenant where Graph takes no domain that nobody has."""
    try:
        organization_id = await _made(live, live.body())
    except CannotTellError:
        tenant = tenant_source(_known(live.place.partner_tenant))
        organization_id = await _made(live, live.body(tenant))
    await live.eventually(lambda: _is_read(live, organization_id))
    return organization_id


def _known(value: str | None) -> str:
    if value is None:
        raise CannotTellError
    return value


def _reference(live: Live, user_id: str) -> dict[str, str]:
    return {"@odata.id": f"{live.base}/users/{user_id}"}


# The record


def record(live: Live, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "graph": live.base,
        "recordedDateTime": datetime.now(UTC).isoformat(timespec="seconds"),
        "facts": facts,
        "config": config_of(facts),
        "notEmulated": sorted(
            name for name in _ALWAYS_REFUSED if facts[name] and facts[name]["status"] < _REFUSED
        ),
    }


def config_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What `PUT /_emulator/config` takes, so that the emulator answers the same."""
    known = {name: fact for name, fact in facts.items() if fact and "status" in fact}
    config: dict[str, Any] = {
        "refusals": {
            name: fact
            for name, fact in known.items()
            if name != "update" and fact["status"] >= _REFUSED
        }
    }
    if "update" in known and known["update"]["status"] in {200, 202, 204}:
        config["patchStatus"] = known["update"]["status"]
    if facts["delaySeconds"]:
        config["consistencyDelaySeconds"] = max(facts["delaySeconds"].values())
    return config
