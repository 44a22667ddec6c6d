"""What the command does: check a file, start it, watch a batch, replay or cancel one."""

import mimetypes
import shlex
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx
from rich.console import Console

from connorg.command.ending import CommandError, ExitCode
from connorg.command.service import Batches, Reading, Upload
from connorg.command.showing import (
    count_of,
    plain,
    show_end,
    show_faults,
    show_forecast,
    show_ignored,
)
from connorg.command.watching import watch


class Task(StrEnum):
    CHECK = "check"
    START = "start"
    WATCH = "watch"
    RETRY = "retry"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Command:
    task: tuple[Task, str]
    """What to do, and with which file or batch."""
    url: str
    auth: httpx.Auth
    patience: float
    """Seconds."""
    everything: bool
    on_invalid: str
    reference: str | None
    scope: str | None
    results: Path | None
    out: Console
    """For what is asked for."""
    err: Console
    """For messages on the way."""

    def run(self) -> ExitCode:
        """Raises CommandError."""
        batches = Batches(self.url, self.auth, self.patience, self._tell)
        match self.task:
            case Task.CHECK, file:
                return self._check(batches, file)
            case Task.CANCEL, batch_id:
                show_end(self.out, batches.cancel(batch_id).status)
                return ExitCode.SUCCEEDED
            case Task.WATCH, batch_id:
                return self._watch(batches, batches.status(batch_id))
            case Task.RETRY, batch_id:
                return self._watch(batches, batches.retry(batch_id))
            case _, file:
                return self._start(batches, file)

    def _check(self, batches: Batches, file: str) -> ExitCode:
        with self.err.status("Looking at every row …"):
            forecast = batches.forecast(_upload(file))
        show_forecast(self.out, forecast, everything=self.everything)
        if forecast["counts"].get("invalid"):
            return ExitCode.FAULTY
        return ExitCode.FAILED if forecast["counts"].get("refused") else ExitCode.SUCCEEDED

    def _start(self, batches: Batches, file: str) -> ExitCode:
        try:
            with self.err.status("Sending the file …"):
                reading = batches.start(_upload(file), self.on_invalid, self.reference)
        except KeyboardInterrupt:
            self._tell("Interrupted before the app answered: the batch may have begun or not.")
            self._tell("Send the file again: no partner is onboarded twice.")
            return ExitCode.INTERRUPTED
        except CommandError as error:
            if not error.faults:
                raise
            show_faults(self.out, error.faults)
            action = "Correct them and send the file again, or say --on-invalid skip."
            raise CommandError("Nothing was started.", action, error.code) from None
        rows = count_of(reading.status["rows"], "row")
        self._tell(f"Batch {reading.status['id']} has begun: {rows}.")
        show_ignored(self.err, reading.status)
        return self._watch(batches, reading)

    def _watch(self, batches: Batches, reading: Reading) -> ExitCode:
        batch_id = reading.status["id"]
        try:
            status = watch(batches, reading, self.err)
            self._write_results(batches, batch_id)
        except KeyboardInterrupt:
            self._tell(f"The batch goes on. To come back to it:\n{self._come_back(batch_id)}")
            return ExitCode.INTERRUPTED
        except CommandError as error:
            hint = f"The batch goes on by itself. To come back to it:\n{self._come_back(batch_id)}"
            raise CommandError(str(error), hint, error.code) from None
        show_end(self.out, status)
        return ExitCode.SUCCEEDED if status["status"] == "Succeeded" else ExitCode.FAILED

    def _write_results(self, batches: Batches, batch_id: str) -> None:
        if self.results is None:
            return
        # With the mark by which Excel knows UTF-8.
        self.results.write_bytes(b"\xef\xbb\xbf" + batches.results(batch_id))
        self._tell(f"What became of each row: {self.results}")

    def _come_back(self, batch_id: str) -> str:
        """Give the command that watches the batch again. No key stands in it."""
        scope = ["--scope", self.scope] if self.scope else []
        results = ["--results", str(self.results)] if self.results else []
        asked = ["--watch", batch_id, "--url", self.url, *scope, *results]
        return shlex.join(["python", "-m", "connorg.command", *asked])

    def _tell(self, text: str) -> None:
        for line in text.splitlines():
            self.err.print(plain(line), soft_wrap=True)


def _upload(file: str) -> Upload:
    content_type = mimetypes.guess_type(file)[0] or "application/octet-stream"
    try:
        return Upload(Path(file).read_bytes(), content_type)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.", code=ExitCode.FAULTY) from None
