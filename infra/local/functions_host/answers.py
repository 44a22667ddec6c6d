"""The answers of the host, as Kestrel sends them."""

import re
from http.cookies import Morsel
from urllib.parse import quote

from aiohttp import web
from multidict import CIMultiDict

from infra.local.functions_host.worker import HttpAnswer

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
WITHOUT_BODY = (204, 304)
# In the order in which ASP.NET Core writes them.
COOKIE_ATTRIBUTES = ("expires", "max-age", "domain", "path", "secure", "samesite", "httponly")
IS_UNTYPED = "is_untyped"


def empty(status: int, **headers: str) -> web.Response:
    return web.Response(status=status, headers={_name(key): headers[key] for key in headers})


def not_emulated(what: str) -> web.Response:
    """The answer to what the real host does and this one does not."""
    return web.json_response({"code": "NotEmulated", "message": what}, status=501)


def in_error() -> web.Response:
    return _untyped(web.Response(status=503, body=b"Function host is not running."))


def unauthorized() -> web.Response:
    return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})


def of_function(answer: HttpAnswer) -> web.Response:
    """The answer of a function. Headers that cannot be sent make it a 500 without a body."""
    headers = CIMultiDict[str]()
    for name, value in answer.headers.items():
        headers.setdefault(name, value)
    if not all(_can_be_sent(name, value) for name, value in headers.items()):
        return empty(500)
    length = headers.get("content-length")
    if "transfer-encoding" in headers or (length and int(length) > len(answer.body)):
        return not_emulated("An answer whose headers contradict its body.")
    if length and int(length) < len(answer.body):
        return empty(500)
    for cookie in answer.cookies:
        for morsel in cookie.values():
            headers.add("set-cookie", _cookie_text(morsel))
    response = web.Response(status=answer.status, headers=headers, body=answer.body)
    if "content-type" not in headers:
        _untyped(response)
    if not length and answer.status not in WITHOUT_BODY:
        response.enable_chunked_encoding()
    return response


async def as_kestrel(_: web.Request, response: web.StreamResponse) -> None:
    """Take out what aiohttp adds to the headers and Kestrel does not."""
    response.headers["Server"] = "Kestrel"
    if response.get(IS_UNTYPED):
        response.headers.popall("Content-Type", None)


def _untyped(response: web.Response) -> web.Response:
    """The same answer, chunked, without a Content-Type."""
    response[IS_UNTYPED] = True
    response.enable_chunked_encoding()
    return response


def _can_be_sent(name: str, value: str) -> bool:
    return bool(HEADER_NAME.fullmatch(name) and HEADER_VALUE.fullmatch(value))


def _name(key: str) -> str:
    return key.replace("_", "-")


def _cookie_text(morsel: Morsel[str]) -> str:
    """As ASP.NET Core writes a cookie, with its value percent-encoded."""
    parts = [f"{morsel.key}={quote(morsel.value, safe='')}"]
    for name in COOKIE_ATTRIBUTES:
        value = morsel[name] or ("/" if name == "path" else "")
        if value is True:
            parts.append(name)
        elif value:
            parts.append(f"{name}={value.lower() if name == 'samesite' else value}")
    return "; ".join(parts)
