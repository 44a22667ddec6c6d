"""HTTP triggers, as the Functions host serves them."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from aiohttp import web
from aiohttp.typedefs import Handler

from infra.local.functions_host import answers
from infra.local.functions_host.admin_pages import AdminPages
from infra.local.functions_host.cors import Cors
from infra.local.functions_host.definition import Function
from infra.local.functions_host.host_json import HttpOptions
from infra.local.functions_host.invoker import Invoker
from infra.local.functions_host.keys import Keys, given_key
from infra.local.functions_host.routing import Router, decoded_path
from infra.local.functions_host.throttle import Throttle
from infra.local.functions_host.worker import Call, HttpRequest

# Azure's load balancer gives up after 230 s; the function continues.
FRONT_END_SECONDS = 230.0
REQUEST_SIZE_LIMIT = 104_857_600
# What Kestrel takes of a request's head, in bytes.
LONGEST_REQUEST_LINE = 8_192
LARGEST_HEADERS = 32_768
MOST_HEADERS = 100
SCALE_OUT = {"X-FUNCTION-SCALEOUT": "1"}


@dataclass(frozen=True)
class Limits:
    """`size` in bytes of a request's body, None where every request fails; time in seconds."""

    size: int | None
    seconds: float

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Limits":
        """FUNCTIONS_REQUEST_BODY_SIZE_LIMIT is the real host's: below 0 nothing is taken any more,
        and what is no number is ignored. LOCAL_HOST_FRONT_END_SECONDS is for tests.
        """
        try:
            size = int(environment.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", REQUEST_SIZE_LIMIT))
        except ValueError:
            size = REQUEST_SIZE_LIMIT
        seconds = float(environment.get("LOCAL_HOST_FRONT_END_SECONDS", FRONT_END_SECONDS))
        return cls(None if size < 0 else size, seconds)


@dataclass
class HttpFront:
    """Answers each request with the function it belongs to. Without a router it is in error."""

    router: Router | None
    invoker: Invoker
    keys: Keys
    pages: AdminPages
    options: HttpOptions
    environment: Mapping[str, str]
    disabled: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._limits = Limits.read(self.environment)
        self._throttle = Throttle(self.options)
        self._cors = Cors.read(self.environment)

    def application(self) -> web.Application:
        @web.middleware
        async def answer_all(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: ARG001 - aiohttp names it
            return await self._answer(request)

        # No routes of aiohttp's: it knows fewer paths than the real host.
        application = web.Application(
            middlewares=[answer_all],
            client_max_size=self._limits.size or 0,
            handler_args={
                # The function gets the bytes as they were sent, whatever their Content-Encoding.
                "auto_decompress": False,
                "max_line_size": 2 * LARGEST_HEADERS,
                "max_field_size": 2 * LARGEST_HEADERS,
            },
        )
        application.on_response_prepare.append(answers.as_kestrel)
        return application

    async def _answer(self, request: web.Request) -> web.Response:
        if preflight := self._cors.preflight(request):
            return preflight
        response = await self._answer_to_origin(request)
        self._cors.mark(request, response)
        return response

    async def _answer_to_origin(self, request: web.Request) -> web.Response:
        if status := _refusal(request):
            return answers.empty(status)
        path = decoded_path(request.raw_path)
        if path is None:
            return answers.empty(400)
        if self.options.are_headers_broken:
            return answers.empty(500)
        key = given_key(request, _query(request))
        response = self.pages.answer(request, path, key)
        if response is None:
            response = await self._throttled(request, path, key)
            if response.status == web.HTTPTooManyRequests.status_code and not response.body:
                return response
        for name, value in self.options.custom_headers.items():
            response.headers.setdefault(name, value)
        return response

    async def _throttled(self, request: web.Request, path: str, key: str) -> web.Response:
        if self.router is None:
            return answers.empty(404) if path.lower().startswith("/admin/") else answers.in_error()
        is_full = self._throttle.is_full
        found = self.router.find(request.method, path)
        if found is None and path == "/":
            home = self._home_page()
            home.headers.update(SCALE_OUT if is_full else {})
            return home
        if self.options.is_throttle_broken:
            return answers.empty(500)
        if is_full:
            return web.Response(status=429, headers=SCALE_OUT)
        async with self._throttle.place():
            return await self._function(request, found, key)

    async def _function(
        self, request: web.Request, found: tuple[Function, dict[str, str]] | None, key: str
    ) -> web.Response:
        if found is None:
            return answers.empty(404)
        function, route = found
        if function.name in self.disabled and not self.keys.is_master(key):
            return answers.empty(404)
        if not self.keys.allow(key, function.level, function.name):
            return answers.empty(401)
        size = request.content_length or 0
        if self._limits.size is None or size > self._limits.size or not _host(request):
            return _closing(answers.empty(500))
        call = Call(await _read(request, route))
        traceparent = request.headers.get("traceparent", "")
        try:
            async with asyncio.timeout(self._limits.seconds):
                result = await self.invoker.run(function, call, traceparent)
        except TimeoutError:
            return answers.empty(504)
        return answers.of_function(result.answer) if result.answer else answers.empty(500)

    def _home_page(self) -> web.Response:
        if self.environment.get("AzureWebJobsDisableHomepage", "").lower() == "true":
            return answers.empty(204)
        return web.Response(text="Your local Functions host is up and running.")


def _closing(response: web.Response) -> web.Response:
    """The same answer, after which the connection is closed: its request was not read."""
    response.force_close()
    return response


async def _read(request: web.Request, route: Mapping[str, str]) -> HttpRequest:
    """The request as the function gets it.

    The host hands on a body only if it knows its length: a chunked one is left out. Azure's front
    end gives chunked requests a length, so this is seen on a local host alone.
    """
    query = joined(_query(request))
    return HttpRequest(
        method=request.method,
        # The Host header decides, and nothing but it: X-Forwarded-* are for the function to read.
        url=f"http://{_host(request)}{request.raw_path}",
        headers=joined((name.lower(), value) for name, value in request.headers.items()),
        query={name: value for name, value in query.items() if value},
        route=route,
        body=await request.read() if request.content_length else b"",
    )


def _refusal(request: web.Request) -> int | None:
    """The status with which Kestrel refuses a head that is too large."""
    line = f"{request.method} {request.raw_path} HTTP/1.1\r\n"
    if len(line.encode()) > LONGEST_REQUEST_LINE:
        return 414
    size = sum(len(name) + len(value) + len(b": \r\n") for name, value in request.raw_headers)
    return 431 if size > LARGEST_HEADERS or len(request.raw_headers) > MOST_HEADERS else None


def _host(request: web.Request) -> str:
    return request.headers.get("Host", "")


def _query(request: web.Request) -> list[tuple[str, str]]:
    return parse_qsl(request.raw_path.partition("?")[2], keep_blank_values=True)


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One value a name, for the worker's protocol: values that are not empty, joined with commas.

    Names that differ in case are the same, spelled as the first.
    """
    spellings: dict[str, str] = {}
    values = defaultdict(list)
    for name, value in pairs:
        values[spellings.setdefault(name.lower(), name)].append(value)
    return {name: ",".join(filter(None, several)) for name, several in values.items()}
