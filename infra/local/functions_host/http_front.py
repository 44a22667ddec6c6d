"""HTTP triggers, as the Functions host serves them."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from http.cookies import Morsel
from urllib.parse import quote

from aiohttp import web
from multidict import CIMultiDict

from infra.local.functions_host.invoker import Invoker
from infra.local.functions_host.keys import Keys
from infra.local.functions_host.routing import Router
from infra.local.functions_host.timer import Timer
from infra.local.functions_host.worker import Call, HttpAnswer, HttpRequest

# Azure's load balancer gives up after 230 s; the function goes on.
FRONT_END_SECONDS = 230.0
REQUEST_SIZE_LIMIT = 104_857_600
DEFAULT_AUTH_LEVEL = "function"


class HttpFront:
    """Answers each request with the function it belongs to.

    For tests, LOCAL_HOST_FRONT_END_SECONDS shortens the time limit; the request size limit is the
    real host's setting FUNCTIONS_REQUEST_BODY_SIZE_LIMIT (bytes).
    """

    def __init__(
        self, router: Router, invoker: Invoker, keys: Keys, timers: Iterable[Timer] = ()
    ) -> None:
        self._router = router
        self._invoker = invoker
        self._keys = keys
        self._timers = {timer.function.name.lower(): timer for timer in timers}
        self._running: set[asyncio.Task[None]] = set()  # the loop itself keeps only weak references
        settings = os.environ
        self._seconds = float(settings.get("LOCAL_HOST_FRONT_END_SECONDS", FRONT_END_SECONDS))
        self._size_limit = int(
            settings.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", REQUEST_SIZE_LIMIT)
        )

    def application(self) -> web.Application:
        application = web.Application(
            client_max_size=self._size_limit,
            # The function gets the bytes as they were sent, whatever their Content-Encoding.
            handler_args={"auto_decompress": False},
        )
        application.router.add_get("/admin/host/status", self._status)
        application.router.add_post("/admin/functions/{name}", self._run_now)
        application.router.add_route("*", r"/{path:[\s\S]*}", self._answer)
        return application

    async def _status(self, request: web.Request) -> web.Response:
        if not self._keys.allow(request, "admin"):
            return web.Response(status=401)
        return web.json_response({"id": "local", "state": "Running"})

    async def _run_now(self, request: web.Request) -> web.Response:
        """Run a function, without waiting for it. Differs: timer functions alone.

        Source: "Manually run a non HTTP-triggered function".
        """
        if not self._keys.allow(request, "admin"):
            return web.Response(status=401)
        timer = self._timers.get(request.match_info["name"].lower())
        if timer is None:
            return web.Response(status=404)
        task = asyncio.create_task(timer.invoke())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return web.Response(status=202)

    async def _answer(self, request: web.Request) -> web.Response:
        found = self._router.find(request.method, request.rel_url.raw_path)
        if not found:
            return _home_page() if request.path == "/" else web.Response(status=404)
        function, route = found
        level = str(function.trigger.get("authLevel") or DEFAULT_AUTH_LEVEL).lower()
        if not self._keys.allow(request, level):
            return web.Response(status=401)
        if (request.content_length or 0) > self._size_limit:
            return web.Response(status=413)
        call = Call(await _read(request, route))
        traceparent = request.headers.get("traceparent", "")
        try:
            async with asyncio.timeout(self._seconds):
                result = await self._invoker.run(function, call, traceparent)
        except TimeoutError:
            return web.Response(status=504)
        return _response(result.answer) if result.answer else web.Response(status=500)


async def _read(request: web.Request, route: Mapping[str, str]) -> HttpRequest:
    """The request as the function gets it.

    The host hands on a body only if it knows its length: a chunked one is left out. Azure's front
    end gives chunked requests a length, so this is seen on a local host alone.
    """
    return HttpRequest(
        method=request.method,
        # The Host header decides, and nothing but it: X-Forwarded-* are for the function to read.
        url=f"http://{request.host}{request.rel_url.raw_path}{_query_string(request)}",
        headers=joined((name.lower(), value) for name, value in request.headers.items()),
        query={name: value for name, value in joined(request.query.items()).items() if value},
        route=route,
        body=await request.read() if request.content_length else b"",
    )


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One value a name, for the worker's protocol: values that are not empty, joined with commas.

    Names that differ in case are the same, spelled as the first.
    """
    spellings: dict[str, str] = {}
    values = defaultdict(list)
    for name, value in pairs:
        values[spellings.setdefault(name.lower(), name)].append(value)
    return {name: ",".join(filter(None, several)) for name, several in values.items()}


def _query_string(request: web.Request) -> str:
    query = request.raw_path.partition("?")[2]
    return f"?{query}" if query else ""


def _response(answer: HttpAnswer) -> web.Response:
    headers = CIMultiDict(answer.headers)
    for cookie in answer.cookies:
        for morsel in cookie.values():
            headers.add("set-cookie", _cookie_text(morsel))
    return web.Response(status=answer.status, headers=headers, body=answer.body)


def _cookie_text(morsel: Morsel[str]) -> str:
    """As ASP.NET Core writes a cookie, with its value percent-encoded."""
    morsel.set(morsel.key, morsel.value, quote(morsel.value, safe=""))
    return morsel.OutputString()


def _home_page() -> web.Response:
    return web.Response(text="Your local Functions host is up and running.")
