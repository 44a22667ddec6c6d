"""Answers that Graph may give: drawn by a seed, any status, any shape of body, any header."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from connorg.graph.meanings import Call, Told, names_the_body
from connorg.graph.words import words_of

_CODES = (
    "",
    "BadRequest",
    "Conflict",
    "UnAuthorized",
    "NoLicense",
    "NoGovernanceSku",
    "activityLimitReached",
    "QuotaExceeded",
    "ResourceNotFound",
    "Request_ResourceNotFound",
    "RequestBodyRead",
    "InvalidFilter",
    "ConnectedOrganizationAlreadyExists",
    "identityproviderALREADYconfigured",
)
_MESSAGES = (
    "",
    "No resource was found.",
    "The tenant needs a premium license.",
    "Too many requests.",
    "Access token has expired.",
    "Invalid filter clause: Could not find a property named 'x'.",
    "It failed: ConnectedOrganizationAlreadyExists.",
    "\u00fc" * 500,
)
_STATUSES = (200, 201, 202, 204, 302, 400, 401, 402, 403, 404, 405, 408, 409, 410, 412, 413, 415)
_MORE_STATUSES = (421, 422, 423, 424, 425, 429, 431, 449, 451, 499, 500, 501, 502, 503, 504, 509)
_RETRIES = ("0", "0.2", "-1", "3", "soon", "nan", "1e9", "Thu, 01 Jan 2015 00:00:00 GMT", "")
_FILTERS = ("case_sensitive", "ignore_case", "ignored", "refused", "empty")


@dataclass(frozen=True)
class Case:
    """One weather of an onboarding, as the emulator is told of it."""

    rule: dict[str, Any]
    config: dict[str, Any]
    request: dict[str, Any]
    stands: bool
    """Whether the organization is there before, and described otherwise."""


def case_of(seed: int) -> Case:
    """Return the case that a seed draws."""
    random = Random(f"an answer of Graph, {seed}")
    for_ever = random.random() < 0.3
    rule: dict[str, Any] = {
        "fault": "raw",
        "status": random.choice((*_STATUSES, *_MORE_STATUSES, random.randrange(200, 600))),
        "headers": _headers(random),
        "body": _body(random),
        "commit": random.random() < 0.5,
    }
    told = Told(Call.CREATE, rule["status"], words_of(rule["body"].encode()))
    if names_the_body(told):  # what could not be read was not carried out
        rule["commit"] = False
    if random.random() < 0.8:
        rule["method"] = random.choice(("POST", "POST", "GET", "PATCH"))
    if random.random() < 0.2:
        rule["path"] = random.choice(("internalSponsors", "findTenantInformation"))
    if not for_ever:
        rule["times"] = random.choice((1, 1, 2, 5))
    config = {
        "filters": random.choice(_FILTERS),
        "pageSize": random.choice((1, 3, 100)),
        "emptyPages": random.random() < 0.3,
        "top": random.choice(("page", "limit")),
        "duplicateStatus": random.choice((400, 409)),
    }
    request = {
        "ifExists": random.choice((None, "return", "update", "fail")),
        "internalSponsors": random.choice((None, ["ada@home.example"])),
    }
    return Case(rule, config, request, stands=random.random() < 0.3)


def _headers(random: Random) -> dict[str, str]:
    headers = {"Content-Type": random.choice(("application/json", "text/html", "text/plain"))}
    if random.random() < 0.3:
        headers["Retry-After"] = random.choice(_RETRIES)
    if random.random() < 0.1:
        headers["WWW-Authenticate"] = 'Bearer error="insufficient_claims", claims="e30="'
    if random.random() < 0.05:
        headers["Location"] = random.choice(("/nowhere", "http://", "ftp://x/"))
    return headers


def _body(random: Random) -> str:
    code, message = random.choice(_CODES), random.choice(_MESSAGES)
    inner: dict[str, Any] = {
        "date": random.choice(("2023-09-08T23:07:16", "yesterday")),
        "innererror": {},
    }
    inner["code"] = random.choice(_CODES)
    error: Any = {"code": code, "message": message, "innerError": inner}
    shapes: tuple[Any, ...] = (
        {"error": error},
        {"error": {**error, "details": [{"code": random.choice(_CODES), "message": message}]}},
        {"error": {"code": "", "message": json.dumps({"error": error})}},
        {"odata.error": {"code": code, "message": {"lang": "en", "value": message}}},
        error,
        [error],
        {"error": message},
        {"value": None},
        {"value": [{"no": "id"}, None, 5], "@odata.nextLink": "https://elsewhere.example/x"},
        {"id": 5},
        None,
    )
    text = json.dumps(random.choice(shapes))
    return random.choice((text, text, text, text[: len(text) // 2], f"<html>{message}</html>", ""))
