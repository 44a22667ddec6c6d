"""The app over HTTP (docs/http.md), through the hiccups of a network."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import httpx

from connorg.command.ending import CommandError, ExitCode

type Json = dict[str, Any]

_TIMEOUT = 120.0  # seconds; 5,000 rows are stored before the answer
_PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds between tries, and then the longest
_LONGEST_PAUSE = 15.0
_PATIENCE = 60.0  # seconds, where nothing runs yet and somebody waits
_MOST_OF_A_PAGE = 100
LARGEST_FILE = 4_000_000  # bytes that the app reads; the host refuses more, and does not say why

_TOO_LARGE, _FAILED = 413, 500
_MISCONFIGURED = "Misconfigured"
# Without a problem in it an answer is the host's, given before or after the app's code ran.
_HOSTS_OWN = {
    401: (
        "The app does not know the key, or the key does not permit this.",
        "Check the key: --key, CONNORG_KEY or the profile. `forget` takes the master key.",
    ),
    403: ("The app denies this caller access.", "Check who calls, and from which network."),
    404: ("There is no connorg at this address.", "Check --url."),
    429: ("The app's host has more calls than it accepts at once.", "Try again in a minute."),
    500: (
        "The app's host ended the call and gave no reason: the process ended, or ran out of time.",
        "Try again; if it fails again, read the function app's log.",
    ),
    502: ("The app's host is starting, stopping or in error.", "Try again in some minutes."),
}
_HOSTS_OWN |= dict.fromkeys((503, 504), _HOSTS_OWN[502])
_TRANSIENT = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Upload:
    content: bytes
    content_type: str


class App:
    """Raises CommandError. `report` is given a sentence for each call that has to be repeated."""

    def __init__(
        self, url: str, auth: httpx.Auth | None, patience: float, report: Callable[[str], None]
    ) -> None:
        self.patience = patience
        """Seconds to wait for an answer, while the app works for this command."""
        self._http = httpx.Client(base_url=f"{url}/api/", auth=auth, timeout=_TIMEOUT)
        self._url = url
        self._report = report
        self._has_answered = False

    def get(
        self, path: str, parameters: Mapping[str, str | None] | None = None, **more: Any
    ) -> httpx.Response:
        return self.call("GET", path, parameters, **more)

    def post(
        self, path: str, parameters: Mapping[str, str | None] | None = None, **more: Any
    ) -> httpx.Response:
        return self.call("POST", path, parameters, **more)

    def upload(
        self, upload: Upload, parameters: Mapping[str, str | None], headers: Mapping[str, str]
    ) -> httpx.Response:
        return self.call(
            "POST",
            "batches",
            parameters,
            content=upload.content,
            headers={"content-type": upload.content_type, **headers},
        )

    def pages(
        self, path: str, parameters: Mapping[str, str | None], limit: int | None, **more: Any
    ) -> Iterator[httpx.Response]:
        """Call for page after page. `limit`: how many entries are wanted; None: all."""
        left, token = limit, None
        while left is None or left > 0:
            top = _MOST_OF_A_PAGE if left is None else min(left, _MOST_OF_A_PAGE)
            asked = {**parameters, "top": str(top), "continuationToken": token}
            page = self.get(path, asked, **more)
            yield page
            token = _continuation_of(page)
            if token is None:
                return
            left = None if left is None else left - top

    def entries(
        self, path: str, parameters: Mapping[str, str | None], limit: int | None = None
    ) -> Iterator[Json]:
        for page in self.pages(path, parameters, limit):
            yield from json_of(page)["value"]

    def call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str | None] | None = None,
        *,
        patience: float | None = None,
        accepts: tuple[int, ...] = (),
        **more: Any,
    ) -> httpx.Response:
        """Call until there is an answer. `patience`: seconds. `accepts`: statuses besides 2xx,
        of answers that the app gave and not its host.
        """
        if patience is None:
            patience = min(_PATIENCE, self.patience)
        given = {name: value for name, value in (parameters or {}).items() if value}
        give_up = time.monotonic() + patience
        for pause in chain(_PAUSES, repeat(_LONGEST_PAUSE)):
            answer = self._once(method, path, params=given, **more)
            if isinstance(answer, httpx.Response):
                is_accepted = answer.status_code in accepts and problem_of(answer)
                if answer.is_success or is_accepted:
                    return answer
                error = self._error_of(answer, len(more.get("content") or b""))
                after = retry_after(answer) or 0.0
            else:
                error = self._no_answer(str(answer) or type(answer).__name__)
                after = 0.0
            pause = max(pause, after)  # noqa: PLW2901
            if error.code is not ExitCode.UNREACHABLE or time.monotonic() + pause > give_up:
                raise error
            self._report(f"{error} Trying again in {pause:.0f} s.")
            time.sleep(pause)
        raise AssertionError("pauses have no end")

    def _once(self, method: str, path: str, **more: Any) -> httpx.Response | httpx.RequestError:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.RequestError as error:
            # Before its first answer the address is more likely wrong than the app away.
            if isinstance(error, httpx.ConnectError) and not self._has_answered:
                raise CommandError(
                    f"{self._url} can't be reached: {error}.", "Check --url.", ExitCode.UNREACHABLE
                ) from None
            return error
        self._has_answered = True
        return answer

    def _no_answer(self, reason: str) -> CommandError:
        detail = f"{self._url} does not answer: {reason.rstrip('.')}."
        return CommandError(detail, "Try again later.", ExitCode.UNREACHABLE)

    def _error_of(self, answer: httpx.Response, sent: int) -> CommandError:
        """Return what an answer says that is no success. `sent`: bytes of the body."""
        status, problem = answer.status_code, problem_of(answer)
        passes = status in _TRANSIENT and problem.get("code") != _MISCONFIGURED
        code = ExitCode.UNREACHABLE if passes else ExitCode.FAULT
        if "detail" in problem:
            return CommandError(problem["detail"], problem.get("action", ""), code, problem)
        if status == _TOO_LARGE or (status == _FAILED and sent > LARGEST_FILE):
            return CommandError(
                f"The app's host does not accept a file of {sent:,} bytes.",
                f"Split it into files of at most {LARGEST_FILE:,} bytes, each with the header row;"
                " or put the partners on the queue (docs/queue.md).",
            )
        if answer.is_redirect:
            told = f"{self._url} redirects to {answer.headers.get('location', 'another address')}."
            return CommandError(told, "Use that address as --url, if it is the app's.")
        usual = f"{self._url} answers HTTP {status}."
        detail, action = _HOSTS_OWN.get(status, (usual, "Check --url."))
        return CommandError(f"{detail} (HTTP {status} of {self._url})", action, code)


def problem_of(answer: httpx.Response) -> Json:
    """Return the problem in an answer; an empty one where there is none."""
    try:
        body = answer.json()
    except ValueError:  # the host's own pages
        return {}
    return body if isinstance(body, dict) else {}


def json_of(answer: httpx.Response) -> Json:
    """Return the object in an answer. Raise CommandError: what answers is no connorg."""
    body = problem_of(answer)
    if not body:
        raise CommandError(f"What answers at {answer.url} is not connorg.", "Check --url.")
    return body


def retry_after(answer: httpx.Response) -> float | None:
    """Return in how many seconds the app wants to be asked again; None: it does not say."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _continuation_of(page: httpx.Response) -> str | None:
    """Return where the next page begins: JSON says it itself, for CSV there is a header."""
    if "link" in page.headers:
        # Its token alone: the address may name another host, to which no key may go.
        address = page.links.get("next", {}).get("url", "")
        token = httpx.URL(address).params.get("continuationToken")
    else:
        token = problem_of(page).get("continuationToken")
    return str(token) if token else None
