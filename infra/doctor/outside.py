"""What a caller can see: the address, health, who is let in, and what the app says of itself."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from infra.doctor.findings import Finding, Level, fault, note, ok
from infra.doctor.mends import AUTHENTICATION, mend_of

_LOOPBACK = {"127.0.0.1", "localhost"}
_SIGN_IN, _UNAUTHORIZED, _FORBIDDEN, _BROKEN = 302, 401, 403, 500
# A host that storage has refused ends within half a second and is started anew, again and again.
_TRIES = 3
_PAUSE_SECONDS = 2.0
_HOST_IN_ERROR = "Function host is not running."
_FULL = 429
STORAGE_REFUSES = (
    'Look in the log for "Host is shutting down": storage refuses the app, and that ends the'
    " whole host. See that it has Storage Queue Data Contributor and Storage Table Data Contributor"
    " (az role assignment list --assignee ID --all; a new role takes some minutes), and that the"
    " account's network rules let the app in (az storage account show --name ACCOUNT --query"
    " networkRuleSet). Nothing that was accepted is lost."
)
_APP_ROLES = (
    "Onboarding.Submit",
    "Onboarding.Read",
    "Onboarding.Manage",
    "Onboarding.Delete",
)
_MOST_NAMED = 5  # routes in a finding
_NOTES = {"missing", "unknown", "failed", "poisoned"}
"""Statuses that stop nothing by themselves."""
_LET_IN = (
    "Give --key or CONNORG_KEY (az functionapp keys list --resource-group GROUP --name APP), or,"
    " where the app takes Entra tokens, --audience api://APP_ID."
)
_AWAY = "See in the portal that the app runs."
_ROLE = (
    "python -m infra.grant caller --principal-id YOUR_ID --app APP_ID --role Onboarding.Manage"
    " --role Onboarding.Read"
)


class Examination:
    """One app under examination. `credentials`: the headers of a caller whom it should let in."""

    def __init__(self, url: str, http: httpx.AsyncClient, credentials: Mapping[str, str]) -> None:
        self._url = url.rstrip("/").removesuffix("/api")
        self._http = http
        self._credentials = credentials

    async def findings(self) -> AsyncIterator[Finding]:
        reached, health = await self._reach()
        outages = []
        for _ in range(_TRIES - 1):
            if not _is_of_the_host(reached):
                break
            outages.append(reached.detail)
            await asyncio.sleep(_PAUSE_SECONDS)
            reached, health = await self._reach()
        yield reached
        if health is not None and outages:
            text = f"The app comes and goes. Before it answered: {outages[-1]}"
            yield fault("host", text, STORAGE_REFUSES)
        if health is None:
            return
        yield (tls := self._tls())
        for finding in _told(health):
            yield finding
        yield await self._forged()
        if self._credentials and tls.level is Level.FAULT:
            text = "Not examined: a key or token would travel in the clear."
            yield note("inside", text, "Give the https address.")
            return
        if not self._credentials:
            yield note("inside", "Not examined: the doctor has no key and no token.", _LET_IN)
            return
        details = await self._get("health/details")
        yield (entry := _entry(details))
        if entry.level is Level.OK:
            for finding in _told(details):
                yield finding
            yield _graph(await self._get("connected-organizations?top=1"))

    async def _reach(self) -> tuple[Finding, httpx.Response | None]:
        try:
            answer = await self._get("health", {})
        except httpx.ConnectError as error:
            return _unreachable(error), None
        except httpx.HTTPError as error:
            text = f"{self._url} did not answer ({type(error).__name__})."
            return fault("address", text, f"{_AWAY} {STORAGE_REFUSES}"), None
        if fallen := _host_alone(answer):
            return fallen, None
        if answer.status_code in {_SIGN_IN, _UNAUTHORIZED, _FORBIDDEN}:
            text = (
                f"It answers {answer.status_code} to /api/health: App Service authentication keeps"
                " callers of health out, or it is not connorg."
            )
            mend = "Leave /api/health, /api/webhooks and result addresses out (excludedPaths)."
            return fault("address", text, mend), None
        if not _json(answer).keys() & {"checks", "code"}:
            text = f"{self._url} answers, but has no /api/health: it is not connorg."
            return fault("address", text, "See the address, and that the app was deployed."), None
        return ok("address", self._url), answer

    def _tls(self) -> Finding:
        address = urlsplit(self._url)
        if address.scheme == "https":
            return ok("TLS")
        if address.hostname in _LOOPBACK:
            return note("TLS", "There is none, which does on this machine.")
        text = "Keys and tokens travel in the clear: the address is not https."
        mend = "az functionapp update --resource-group GROUP --name APP --set httpsOnly=true"
        return fault("TLS", text, mend)

    async def _forged(self) -> Finding:
        """Call as somebody who writes the header that only App Service may write.

        On every route that asks for a role: nothing would come of these calls, whoever made them.
        """
        claims = [{"typ": "roles", "val": role} for role in _APP_ROLES]
        content = json.dumps({"auth_typ": "aad", "role_typ": "roles", "claims": claims})
        header = {"x-ms-client-principal": base64.b64encode(content.encode()).decode()}
        open_to_it, tried, failing = [], 0, 0
        for method, path in await self._routes_with_a_role():
            answer = await self._http.request(method, f"{self._url}/api/{path}", headers=header)
            tried += 1
            if answer.status_code == _BROKEN:  # before it looked who calls
                failing += 1
            elif not (answer.is_redirect or answer.status_code in {_UNAUTHORIZED, _FORBIDDEN}):
                open_to_it.append(f"{method} {path} ({answer.status_code})")
        if open_to_it:
            text = (
                f"A caller without key or token was let in by {len(open_to_it)} of {tried} routes:"
                f" {', '.join(open_to_it[:_MOST_NAMED])}. It only wrote the header"
                " x-ms-client-principal. Nothing stands in front of the app that removes it."
            )
            return fault("forged caller", text, AUTHENTICATION)
        if failing:
            return note("forged caller", "Not tried: the app fails.", "Mend that first.")
        return ok("forged caller", f"Refused by {tried} of {tried} routes.")

    async def _routes_with_a_role(self) -> list[tuple[str, str]]:
        """Return them as the app describes itself, with what names nothing for each parameter."""
        described = _json(await self._get("openapi.json", {})).get("paths", {})
        found = [
            (method.upper(), re.sub(r"\{\w+\}", "none", path.lstrip("/")))
            for path, methods in described.items()
            for method, operation in methods.items()
            if isinstance(operation, dict) and operation.get("security")
        ]
        return found or [("GET", "onboardings")]

    async def _get(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
        given = self._credentials if headers is None else headers
        return await self._http.get(f"{self._url}/api/{path}", headers=dict(given))


def _unreachable(error: httpx.ConnectError) -> Finding:
    if "[SSL:" in str(error):
        return fault("address", f"TLS fails: {error}", "See the certificate of the custom domain.")
    text = f"No connection can be made: {error}"
    mend = "See the name, that the app runs, and its access restrictions (a private endpoint?)."
    return fault("address", text, f"{mend} {STORAGE_REFUSES}")


def _host_alone(answer: httpx.Response) -> Finding | None:
    """Return the fault where the Functions host answers, or what stands before it, alone."""
    if answer.text.strip() == _HOST_IN_ERROR:
        text = "The Functions host runs and is in error: it answers 503 to everything."
        mend = (
            "GET /admin/host/status with the master key says why: most"
            " often host.json or a route of a version that was just deployed. Deploy it again."
        )
        return fault("address", text, mend)
    if _json(answer) or (answer.status_code < _BROKEN and answer.status_code != _FULL):
        return None
    text = f"The host answers {answer.status_code} by itself, before any of the app's code runs."
    if answer.status_code == _FULL:
        return fault("address", text, "It has more requests at once than it takes. Ask again.")
    return fault("address", text, f"{_AWAY} {STORAGE_REFUSES}")


def _is_of_the_host(reached: Finding) -> bool:
    """Whether another try may find the app: a host that was ended is started anew."""
    return reached.level is Level.FAULT and STORAGE_REFUSES in reached.mend


def _told(answer: httpx.Response) -> Iterable[Finding]:
    """Turn what the app says of itself into findings."""
    told = _json(answer)
    if answer.status_code >= _BROKEN and "checks" not in told:
        text = str(told.get("detail") or f"Health answers {answer.status_code}.")
        mend = str(told.get("action") or "Read the function app's log.")
        yield fault("settings" if told.get("code") == "Misconfigured" else "app", text, mend)
    for check in told.get("checks", ()):
        name, status = str(check["name"]), str(check["status"])
        detail, action = str(check.get("detail", "")), str(check.get("action", ""))
        if status == "healthy":
            yield note(name, detail, mend_of(name, status, action)) if action else ok(name, detail)
        else:
            make = note if status in _NOTES else fault
            yield make(name, detail or status, mend_of(name, status, action))


def _entry(answer: httpx.Response) -> Finding:
    """Say whether the doctor's own key or token was taken."""
    match answer.status_code:
        case 401 if "x-ms-error-code" in answer.headers:
            text = "The app takes Entra tokens only, and App Service authentication saw none."
            return fault("caller", text, f"Use --audience, not --key. {AUTHENTICATION}")
        case 401:
            text = "The key is wrong, or App Service authentication rejects the token."
            return fault("caller", text, _LET_IN)
        case 403:
            text = (
                "The token is good, but its identity does not have the app role Onboarding.Manage."
            )
            return fault("caller", text, _ROLE)
        case 404:
            text = "The app has no /api/health/details: an older version is deployed."
            return fault("caller", text, "Deploy this version, or use the doctor of that one.")
        case status if status >= _BROKEN:
            told = _json(answer)
            text = str(told.get("detail") or f"The app answers {status}.")
            return fault("caller", text, str(told.get("action") or "Read the app's log."))
    return ok("caller", "The key or token was taken.")


def _graph(answer: httpx.Response) -> Finding:
    """Judge a real call to Graph, which the app made for us: it lists one organization."""
    told = _json(answer)
    code, detail = told.get("code"), str(told.get("detail", ""))
    match answer.status_code:
        case 200:
            return ok("call to Graph", "The app may read connected organizations.")
        case 403:
            return note("call to Graph", "Not tried: it takes Onboarding.Read too.", _ROLE)
        case 503 if code == "GraphUnavailable":
            action = str(told.get("action", ""))
            return fault("call to Graph", detail, mend_of("graph", "blocked", action))
    text = detail or f"The app answers {answer.status_code}."
    return fault("call to Graph", text, str(told.get("action") or "Read the app's log."))


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
