"""The functions of the recordings: each notes what it was given, and answers as it is told to."""

import asyncio
import json
import os
from typing import Any

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
seen: list[func.HttpRequest] = []
released = asyncio.Event()

HEADERS = {
    "Content-Type": "application/problem+json",
    "Retry-After": "7",
    "Location": "/x",
    "X-CaSe": "1",
    "x-multi": "a, b",
    "Cache-Control": "no-store",
    "WWW-Authenticate": "Bearer",
}
COOKIES = (
    ("set-cookie", "c1=v1; Secure; HttpOnly; SameSite=Strict"),
    ("set-cookie", 'c2="v 2"'),
)


def answer(act: str, argument: str, name: str) -> Any:
    """What a function answers; the actions are those of the recordings' worker."""
    plain = {"Content-Type": "text/plain"}
    if act == "exc":
        raise RuntimeError("the message")
    if act == "s":
        return func.HttpResponse(f"status {argument}", status_code=int(argument), headers=plain)
    if act == "big":
        return func.HttpResponse(b"a" * int(argument), headers=plain)
    if act == "hdrlen":
        return func.HttpResponse("hello", headers={"Content-Length": argument})
    if act == "cookie":
        response = func.HttpResponse("x")
        for header in COOKIES:
            response.headers.add(*header)
        return response
    answers = {
        "none": None,
        "str": "a string",
        "bytes": b"bytes",
        "noctstr": func.HttpResponse("x"),
        "out": func.HttpResponse("by output_data", status_code=202),
        "hdr": func.HttpResponse("{}", headers=HEADERS),
        "hdrbad": func.HttpResponse("x", headers={"X Bad": "1"}),
        "hdrutf": func.HttpResponse("x", headers={"X-Utf": "café"}),
        "hdrte": func.HttpResponse("x", headers={"Transfer-Encoding": "chunked"}),
        "hdrempty": func.HttpResponse("x", headers={"X-Empty": ""}),
        "bodystr": func.HttpResponse("text é"),
        "slow": f"slept {argument}",
        "": func.HttpResponse(f"fn={name}"),
    }
    return answers[act]


def make(index: int, name: str) -> None:
    async def function(req: func.HttpRequest) -> func.HttpResponse:
        seen.append(req)
        if req.params.get("act") == "slow":
            await released.wait()
        return answer(req.params.get("act", ""), req.params.get("arg", ""), name)  # type: ignore[no-any-return]

    app.function_name(f"f{index}")(app.route(f"f{index}")(function))


for position, function_name in enumerate(json.loads(os.environ["REPLAYED_FUNCTIONS"])):
    make(position, function_name)
