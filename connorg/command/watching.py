"""Watch a batch until it has ended: a bar at a terminal, lines of text elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from connorg.command.client import App, Json, json_of, retry_after
from connorg.command.ending import CommandError
from connorg.command.printing import print_line

_POLL = 2.0  # seconds, where the app does not say
_QUIET = 10  # seconds without a change, after which it is said what is waited for
_ASK_AGAIN = 30.0  # seconds between two looks for it
_TERMINAL = frozenset({"Succeeded", "Failed", "Canceled"})


def watch(app: App, answer: httpx.Response, console: Console) -> Json:
    """Return the last status. `answer` is the first. Raise CommandError."""
    changes = Changes()
    with _display(console) as display:
        while True:
            status = json_of(answer)
            if status["status"] in _TERMINAL:
                display.show(status, None)
                return status
            display.show(status, changes.missed(app, status))
            after = retry_after(answer)
            time.sleep(_POLL if after is None else after)
            answer = app.get(f"batches/{status['id']}", patience=app.patience)


@dataclass(frozen=True)
class Quiet:
    """Nothing has changed for some time."""

    seconds: int
    why: str


@dataclass
class Changes:
    """When something changed last."""

    clock: Callable[[], float] = time.monotonic
    _counts: Json = field(default_factory=dict)
    _last: float = 0.0
    _asked: float | None = None
    _why: str = ""

    def missed(self, app: App, status: Json) -> Quiet | None:
        """Return for how long nothing has changed and what is waited for; None while it moves."""
        now = self.clock()
        if status["counts"] != self._counts:
            self._counts, self._last, self._asked = status["counts"], now, None
        seconds = int(now - self._last)
        if seconds < _QUIET:
            return None
        if self._asked is None or now - self._asked > _ASK_AGAIN:
            self._asked, self._why = now, _reason(app, status)
        return Quiet(seconds, self._why)


def _reason(app: App, status: Json) -> str:
    """Return what the rows wait for."""
    try:
        summary = json_of(app.get("onboardings/summary", {"batch": status["id"]}, patience=0))
    except CommandError as error:
        return f"What the batch waits for can't be read. {error}"
    if reason := summary["gate"].get("reason"):
        return str(reason)
    if status["counts"].get("Waiting"):
        codes = ", ".join(f"{each['code']} ({each['count']:,})" for each in summary["byCode"])
        return f"Rows wait for their next try: {codes or 'the first one failed'}."
    return "Rows are being tried, or wait for the lease of a process that ended: up to ten minutes."


class Display(Protocol):
    def show(self, status: Json, quiet: Quiet | None) -> None: ...


@contextmanager
def _display(console: Console) -> Iterator[Display]:
    if not console.is_terminal:
        yield _Lines(console)
        return
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[done]}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[trouble]}", style="red"),
        console=console,
        expand=True,
    )
    with progress:
        yield _Bar(progress)


class _Bar:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, done="", pace="", trouble="")
        self._why = ""

    def show(self, status: Json, quiet: Quiet | None) -> None:
        ended = _ended(status)
        self._progress.update(
            self._task,
            total=status["rows"],
            completed=ended,
            done=f"{ended:,} of {status['rows']:,}",
            pace=pace(status, quiet),
            trouble=_trouble(status),
        )
        if quiet and quiet.why != self._why:
            print_line(self._progress.console, quiet.why)
        self._why = quiet.why if quiet else ""


class _Lines:
    """A line each time that something has changed, so that a log shows it and does not grow."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def show(self, status: Json, quiet: Quiet | None) -> None:
        progress, trouble = f"{_ended(status):,} of {status['rows']:,}", _trouble(status)
        why = quiet.why if quiet else ""
        changed = f"{progress} {trouble} {why}"
        if changed != self._last:
            parts = ", ".join(filter(None, (progress, pace(status, quiet), trouble)))
            print_line(self._console, f"{parts}. {why}" if why else parts)
        self._last = changed


def _ended(status: Json) -> int:
    counts = status["counts"]
    return int(status["rows"] - counts.get("NotStarted", 0) - counts.get("Waiting", 0))


def pace(status: Json, quiet: Quiet | None) -> str:
    """Return how fast it goes. What was foreseen while it moved is no longer true without."""
    if quiet:
        return f"no change for {_clock(quiet.seconds)}"
    per_second, left = status.get("perSecond"), status.get("secondsLeft")
    parts = (
        "" if per_second is None else f"{per_second:,.1f}/s",
        "" if left is None else f"{_clock(left)} left",
    )
    return ", ".join(filter(None, parts))


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def _trouble(status: Json) -> str:
    words = {
        "Failed": "failed",
        "Invalid": "with faults",
        "Canceled": "canceled",
        "Waiting": "waiting",
    }
    counts = {word: status["counts"].get(name) for name, word in words.items()}
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
