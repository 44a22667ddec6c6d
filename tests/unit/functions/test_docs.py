"""The page that shows the API's description: small, and it runs nothing but its own script."""

import base64
import hashlib
import re

import azure.functions as func

from tests.unit.functions.registered import HTTP_FUNCTIONS
from tests.unit.functions.requests import http_request

MOST = 30 * 1024  # bytes


async def page() -> func.HttpResponse:
    answer: func.HttpResponse = await HTTP_FUNCTIONS["ShowDocs"].call(http_request("GET", "docs"))
    return answer


async def test_the_page_is_small_and_of_one_piece() -> None:
    answer = await page()
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    content = answer.get_body()
    assert 1024 < len(content) <= MOST
    assert b"src=" not in content
    assert b"<link" not in content
    assert not re.search(rb"https?://", content)


async def test_nothing_but_its_own_script_and_style_is_run() -> None:
    answer = await page()
    policy = dict(
        directive.split(" ", 1)
        for directive in answer.headers["Content-Security-Policy"].split("; ")
    )
    text = answer.get_body().decode()
    for tag in ("script", "style"):
        [inside] = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert policy[f"{tag}-src"] == f"'sha256-{digest}'"
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "innerHTML" not in text
    assert not re.search(r"\son\w+=|style=", text)
