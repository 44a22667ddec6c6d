"""Watch a batch until it has ended: a bar at a terminal, lines of text elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from connorg.command.service import Batches, Json, Reading

_POLL = 2.0  # seconds, where the app does not say
_TERMINAL = frozenset({"Succeeded", "Failed", "Canceled"})


class Display(Protocol):
    def show(self, status: Json) -> None: ...


def watch(batches: Batches, reading: Reading, console: Console) -> Json:
    """Give the last status."""
    with _display(console) as display:
        while True:
            display.show(reading.status)
            if reading.status["status"] in _TERMINAL:
                return reading.status
            time.sleep(reading.after or _POLL)
            reading = batches.status(reading.status["id"])


@contextmanager
def _display(console: Console) -> Iterator[Display]:
    if not console.is_terminal:
        yield _Lines(console)
        return
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[done]}"),
        BarColumn(),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[trouble]}", style="red"),
        console=console,
    )
    with progress:
        yield _Bar(progress)


class _Bar:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, done="", pace="", trouble="")

    def show(self, status: Json) -> None:
        ended = _ended(status)
        self._progress.update(
            self._task,
            total=status["rows"],
            completed=ended,
            done=f"{ended:,} of {status['rows']:,}",
            pace=_pace(status),
            trouble=_trouble(status),
        )


class _Lines:
    """A line each time that something has changed, so that a log tells and does not grow."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def show(self, status: Json) -> None:
        progress = f"{_ended(status):,} of {status['rows']:,}"
        trouble = _trouble(status)
        changed = f"{progress} {trouble}"
        if changed != self._last:
            parts = (progress, _pace(status), trouble)
            self._console.print(", ".join(filter(None, parts)), highlight=False, soft_wrap=True)
        self._last = changed


def _ended(status: Json) -> int:
    counts = status["counts"]
    return int(status["rows"] - counts.get("NotStarted", 0) - counts.get("Waiting", 0))


def _pace(status: Json) -> str:
    per_second, left = status.get("perSecond"), status.get("secondsLeft")
    parts = (
        "" if per_second is None else f"{per_second:,.1f}/s",
        "" if left is None else f"{left // 60}:{left % 60:02d} left",
    )
    return ", ".join(filter(None, parts))


def _trouble(status: Json) -> str:
    words = {
        "Failed": "failed",
        "Invalid": "with faults",
        "Canceled": "cancelled",
        "Waiting": "waiting",
    }
    counts = {word: status["counts"].get(name) for name, word in words.items()}
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
