"""The pages of the host itself: its state, its keys, running a function by hand."""

import asyncio
import re
from collections.abc import Iterable, Sequence

from aiohttp import web

from infra.local.functions_host import answers
from infra.local.functions_host.definition import Function
from infra.local.functions_host.keys import ADMIN, ANONYMOUS, Keys
from infra.local.functions_host.timer import Timer

PING, STATUS, WARM_UP = "/admin/host/ping", "/admin/host/status", "/admin/warmup"
NO_STORE = {"Cache-Control": "no-store,no-cache", "Pragma": "no-cache"}
# Pages that the real host has and this one has not: with the master key they are 501.
NOT_EMULATED = [
    ("GET", r"/admin/functions"),
    ("GET", r"/admin/functions/[^/]+/status"),
    ("GET", r"/admin/functions/[^/]+/keys(/[^/]+)?"),
    ("PUT POST DELETE", r"/admin/functions/[^/]+/keys/[^/]+"),
    ("GET", r"/admin/host/(config|processes|systemkeys(/[^/]+)?|keys(/[^/]+)?)"),
    ("GET", r"/admin/host/extensionbundle/v1/templates"),
    ("POST", r"/admin/host/restart"),
    ("GET", r"/admin/instance/info"),
]
FUNCTION_PAGE = re.compile(r"/admin/functions/([^/]+)", re.IGNORECASE)
WEBHOOK = re.compile(r"/runtime/webhooks/.+", re.IGNORECASE)
FILES = re.compile(r"/admin/vfs(/.*)?", re.IGNORECASE)


class AdminPages:
    """Answers what belongs to the host itself. `errors` says why it is in error, if it is."""

    def __init__(
        self,
        keys: Keys,
        functions: Iterable[Function],
        timers: Iterable[Timer],
        errors: Sequence[str],
    ) -> None:
        self._keys = keys
        self._functions = {function.name.lower(): function for function in functions}
        self._timers = {timer.function.name.lower(): timer for timer in timers}
        self._errors = errors
        self._running: set[asyncio.Task[None]] = set()  # the loop itself keeps only weak references

    def answer(self, request: web.Request, path: str, key: str) -> web.Response | None:
        """The answer of the page at this path, None where there is none.

        One trailing slash and the case of letters do not matter.
        """
        page = path.removesuffix("/").lower()
        method = request.method.upper()
        if page == PING and method in {"GET", "POST"}:
            return web.Response(headers=NO_STORE)
        if page == WARM_UP and method == "GET":
            return web.Response()
        if FILES.fullmatch(page):
            is_master = self._keys.is_master(key)
            return answers.not_emulated("The app's files.") if is_master else answers.empty(401)
        if not self._is_page(method, page):
            return None
        level = self._keys.level(key)
        if level == ADMIN:
            return self._open(request, page)
        return answers.unauthorized() if level == ANONYMOUS else answers.empty(403)

    def _open(self, request: web.Request, page: str) -> web.Response:
        """The answer of a page to a caller with the master key."""
        if page == STATUS:
            return self._status()
        function = FUNCTION_PAGE.fullmatch(page)
        if WEBHOOK.fullmatch(page) or (function and function[1] not in self._functions):
            return answers.empty(404)
        if function and request.method.upper() == "POST":
            return self._run_now(request, function[1])
        return answers.not_emulated(f"{request.method} {page}")

    def _is_page(self, method: str, page: str) -> bool:
        if WEBHOOK.fullmatch(page):
            return True
        if FUNCTION_PAGE.fullmatch(page):
            return method in {"GET", "POST"}
        if page == STATUS:
            return method == "GET"
        return any(
            method in methods.split() and re.fullmatch(pattern, page)
            for methods, pattern in NOT_EMULATED
        )

    def _status(self) -> web.Response:
        """Differs: without the version of the host, its uptime and the name of its machine."""
        state = "Error" if self._errors else "Running"
        errors = {"errors": list(self._errors)} if self._errors else {}
        return web.json_response({"id": "local", "state": state, **errors})

    def _run_now(self, request: web.Request, name: str) -> web.Response:
        """Start a function without waiting for it. Differs: timer functions alone.

        Source: "Manually run a non HTTP-triggered function".
        """
        if request.content_type != "application/json":
            return answers.empty(415)
        timer = self._timers.get(name)
        if timer is None:
            return answers.not_emulated("Running a function by hand that has no timer.")
        task = asyncio.create_task(timer.invoke())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return answers.empty(202)
