"""The HTTP function that shows the API's description as a page.

The page reads openapi.json by a script of its own. What it may load and run is said by hashes, so
nothing else is run, whatever the description contains.
"""

import base64
import functools
import hashlib
import re
from pathlib import Path

import azure.functions as func

from connorg.functions.http.pages import page_headers

_PAGE = Path(__file__).parents[1] / "openapi/page.html"


async def show(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the worker's name for it
    """GET docs"""
    content, headers = _page()
    return func.HttpResponse(content, mimetype="text/html", headers=headers)


@functools.cache
def _page() -> tuple[str, dict[str, str]]:
    """Return the page and its headers. It is read when somebody asks for it first."""
    content = _PAGE.read_text(encoding="utf-8")
    sources = (f"{tag}-src {_hash_of(tag, content)}" for tag in ("script", "style"))
    return content, page_headers(*sources)


def _hash_of(tag: str, page: str) -> str:
    """Return the source of a page's one script or style, as a policy names it."""
    [inside] = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    digest = hashlib.sha256(inside.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
