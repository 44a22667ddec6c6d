"""A stand-in for the app: it answers what the app has answered, as `record.py` wrote it down.

So what each command shows can be looked at in milliseconds, and docs/command.md shows the same.
"""

import hashlib
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

ANSWERS = Path(__file__).parent / "answers.json"
type Maker = Callable[[str, dict[str, str]], Answer]
"""Makes an answer of a path and the headers."""

KEPT = ("content-type", "retry-after", "link", "x-ms-error-code")


@dataclass
class Answer:
    call: str
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Recorded:
    answers: list[Answer]
    names: dict[str, str] = field(default_factory=dict)
    """What ids stand for."""

    @classmethod
    def read(cls) -> Self:
        held = json.loads(ANSWERS.read_text())
        return cls([Answer(**each) for each in held["answers"]], held["names"])

    def write(self) -> None:
        held = {"names": self.names, "answers": [asdict(each) for each in self.answers]}
        ANSWERS.write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n")


class StandIn:
    """Serves what was recorded; with the address of the app it asks that, and records."""

    def __init__(self, recorded: Recorded, app: str | None = None) -> None:
        self.recorded = recorded
        self._app = app
        self._given: dict[str, int] = {}
        self.always: Answer | Maker | None = None
        """The answer to every call."""
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                told = owner.answer(self.command, self.path, headers, body)
                content = told.body.encode()
                self.send_response(told.status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                with suppress(ConnectionError):  # who was interrupted waits for nothing
                    self.end_headers()
                    self.wfile.write(content)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815  http.server's names

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if self.always:
            return self.always if isinstance(self.always, Answer) else self.always(path, headers)
        call = call_of(method, path, headers.get("accept", ""), body)
        if self._app:
            return self._asked(call, method, path, headers, body)
        known = [each for each in self.recorded.answers if each.call == call]
        if not known:
            problem: dict[str, Any] = {"detail": f"not recorded: {call}"}
            return Answer(
                call, 404, {"content-type": "application/problem+json"}, json.dumps(problem)
            )
        # One after the other; the last again and again.
        turn = self._given.get(call, 0)
        self._given[call] = turn + 1
        return known[min(turn, len(known) - 1)]

    def _asked(
        self, call: str, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        passed = {n: v for n, v in headers.items() if n not in {"host", "content-length"}}
        told = httpx.request(method, f"{self._app}{path}", content=body, headers=passed, timeout=60)
        kept = {name: told.headers[name] for name in KEPT if name in told.headers}
        text = told.text.replace(self._app or "", "https://APP.azurewebsites.net")
        answer = Answer(call, told.status_code, kept, text)
        self.recorded.answers.append(answer)
        return answer


def call_of(method: str, path: str, accept: str, body: bytes) -> str:
    """Return what tells a call from others."""
    parts = urlsplit(path)
    query = urlencode(sorted(parse_qsl(parts.query)))
    kind = " as CSV" if "csv" in accept else ""
    content = f" {hashlib.sha256(body).hexdigest()[:12]}" if body else ""
    return f"{method} {parts.path}{'?' if query else ''}{query}{kind}{content}"
