"""The HTTP functions of the console: its page, and the files that the page asks for.

They need no key: nothing in them is secret. What the console shows comes from the API, which asks
for one. The files are in connorg/functions/console; nothing is read before the first call.
"""

import hashlib
import html
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import azure.functions as func

from connorg.contract.problems import ProblemError, ProblemKind
from connorg.functions.http.headers import IF_NONE_MATCH
from connorg.functions.http.pages import page_headers
from connorg.functions.http.parameters import takes
from connorg.settings import settings

_FOLDER = Path(__file__).parents[1] / "console"
_FOLDERS = (_FOLDER, _FOLDER / "vendor")
_NAME = re.compile(r"[A-Za-z-]+\.(css|js|svg|txt)")
_MEDIA_TYPES: Mapping[str, str] = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "txt": "text/plain",
}
_HEADERS = page_headers("script-src 'self'", "style-src 'self'", "img-src 'self'")


@takes(IF_NONE_MATCH)
async def page(req: func.HttpRequest) -> func.HttpResponse:
    """GET console: the page, which says how to sign in and where tickets are."""
    if urlsplit(req.url).path.endswith("/"):  # there the page would look for its files elsewhere
        return func.HttpResponse(status_code=308, headers={**_HEADERS, "Location": "../console"})
    link = html.escape(settings().ticket_link or "")
    text = (_FOLDER / "index.html").read_text()
    text = text.replace('data-sign-in="key"', f'data-sign-in="{_sign_in()}"')
    text = text.replace('data-ticket-link=""', f'data-ticket-link="{link}"')
    return _answer(req, "text/html", text.encode())


@takes(IF_NONE_MATCH)
async def file(req: func.HttpRequest) -> func.HttpResponse:
    """GET console/{file}: a script, the style sheet, the icon, or a licence."""
    name = _NAME.fullmatch(str(req.route_params.get("file", "")))
    paths = [folder / name[0] for folder in _FOLDERS] if name else []
    path = next((path for path in paths if path.is_file()), None)
    if name is None or path is None:
        raise ProblemError(
            ProblemKind.FILE_NOT_FOUND,
            "The console has no such file.",
            "Open the console, GET console.",
        )
    return _answer(req, _MEDIA_TYPES[name[1]], path.read_bytes())


def _sign_in() -> str:
    """Return how callers sign in: by a function key, by App Service, or with a token alone."""
    if not settings().require_entra:
        return "key"
    return "app-service" if settings().signs_in_before else "token"


def _answer(req: func.HttpRequest, media_type: str, content: bytes) -> func.HttpResponse:
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {**_HEADERS, "ETag": etag}
    if etag in IF_NONE_MATCH.of(req):
        return func.HttpResponse(status_code=304, headers=headers)
    return func.HttpResponse(content, mimetype=media_type, headers=headers)
