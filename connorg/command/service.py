"""The app's batches over HTTP (docs/bulk.md), through the hiccups of a network."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import httpx

from connorg.command.ending import CommandError, ExitCode

type Json = dict[str, Any]

_TIMEOUT = 120.0  # seconds; 5,000 rows are stored before the answer
_PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds between tries, and then the longest
_LONGEST_PAUSE = 15.0
_TRANSIENT = frozenset({429, 500, 502, 503, 504})
_START_PATIENCE = 60.0  # seconds; nothing runs yet, and somebody waits
_FILE_REFUSED = frozenset({400, 413, 422})
_REFUSALS = {
    401: ("The app does not know the caller.", "Check the key, or the scope."),
    403: ("The caller may not do this.", "Have the app role or another key granted."),
    404: ("There is no such batch, or no connorg at this address.", "Check --url and the id."),
}


@dataclass(frozen=True)
class Upload:
    content: bytes
    content_type: str


@dataclass(frozen=True)
class Reading:
    """The status of a batch, and when to ask again."""

    status: Json
    after: float | None
    """Seconds; None: the app does not say."""


class Batches:
    """Raises CommandError. `report` is given a sentence for each call that has to be repeated."""

    def __init__(
        self, url: str, auth: httpx.Auth, patience: float, report: Callable[[str], None]
    ) -> None:
        self._http = httpx.Client(base_url=f"{url}/api/", auth=auth, timeout=_TIMEOUT)
        self._url = url
        self._patience = patience
        self._report = report
        self._has_answered = False

    def forecast(self, upload: Upload) -> Json:
        answer = self._send(upload, {"dryRun": "true"}, {})
        return dict(answer.json())

    def start(self, upload: Upload, on_invalid: str, reference: str | None) -> Reading:
        parameters = {"onInvalid": on_invalid, **({"reference": reference} if reference else {})}
        # A call whose answer was lost is repeated, and must not begin a second batch.
        return _reading(self._send(upload, parameters, {"idempotency-key": uuid.uuid4().hex}))

    def status(self, batch_id: str) -> Reading:
        return _reading(self._call("GET", f"batches/{batch_id}", self._patience))

    def results(self, batch_id: str) -> bytes:
        """Give the CSV."""
        path, accept = f"batches/{batch_id}/results", {"accept": "text/csv"}
        return self._call("GET", path, self._patience, headers=accept).content

    def retry(self, batch_id: str) -> Reading:
        return _reading(self._call("POST", f"batches/{batch_id}/retry", _START_PATIENCE))

    def cancel(self, batch_id: str) -> Reading:
        return _reading(self._call("DELETE", f"batches/{batch_id}", _START_PATIENCE))

    def _send(
        self, upload: Upload, parameters: dict[str, str], headers: dict[str, str]
    ) -> httpx.Response:
        return self._call(
            "POST",
            "batches",
            _START_PATIENCE,
            content=upload.content,
            params=parameters,
            headers={"content-type": upload.content_type, **headers},
        )

    def _call(self, method: str, path: str, patience: float, **more: Any) -> httpx.Response:
        give_up = time.monotonic() + patience
        for pause in chain(_PAUSES, repeat(_LONGEST_PAUSE)):
            answer = self._once(method, path, **more)
            if isinstance(answer, httpx.Response) and answer.status_code not in _TRANSIENT:
                return _accepted(answer)
            reason, after = _setback(answer)
            pause = max(pause, after)  # noqa: PLW2901
            if time.monotonic() + pause > give_up:
                raise CommandError(f"{self._url} gives no answer: {reason}.", "Try again later.")
            self._report(f"No answer ({reason}); trying again in {pause:.0f} s.")
            time.sleep(pause)
        raise AssertionError("pauses have no end")

    def _once(self, method: str, path: str, **more: Any) -> httpx.Response | httpx.TransportError:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.TransportError as error:
            # Before its first answer the address is more likely wrong than the app away.
            if isinstance(error, httpx.ConnectError) and not self._has_answered:
                raise CommandError(
                    f"{self._url} can't be reached: {error}.", "Check --url."
                ) from None
            return error
        self._has_answered = True
        return answer


def _setback(answer: httpx.Response | httpx.TransportError) -> tuple[str, float]:
    """Tell why a call has to be repeated, and how many seconds the app asks to be left alone."""
    if isinstance(answer, httpx.Response):
        status, told = f"HTTP {answer.status_code}", _problem(answer)
        # Without a problem it is the host's, before any of the app's code: it says no more.
        whose = f": {told['detail'].rstrip('.')}" if "detail" in told else " of the app's host"
        return status + whose, _retry_after(answer) or 0.0
    return str(answer) or type(answer).__name__, 0.0


def _reading(answer: httpx.Response) -> Reading:
    return Reading(dict(answer.json()), _retry_after(answer))


def _retry_after(answer: httpx.Response) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    problem = _problem(answer)
    usual = _REFUSALS.get(answer.status_code, (f"The app answers HTTP {answer.status_code}.", ""))
    raise CommandError(
        problem.get("detail") or usual[0],
        problem.get("action") or usual[1],
        ExitCode.FAULTY if answer.status_code in _FILE_REFUSED else ExitCode.REFUSED,
        problem.get("errors") or (),
    )


def _problem(answer: httpx.Response) -> Json:
    try:
        body = answer.json()
    except ValueError:  # the host's own pages
        return {}
    return body if isinstance(body, dict) else {}
