"""The options of `python -m connorg.command`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import typer
from rich.console import Console

from connorg.command.command import Command, Task
from connorg.command.ending import CommandError, ExitCode
from connorg.command.showing import show_error
from connorg.command.sign_in import EntraToken, FunctionKey

_OWN_MACHINE = ("localhost", "127.0.0.1", "::1")
_EPILOG = (
    "Exit codes: 0 every row succeeded; 1 some did not; 2 the command or the file is wrong;"
    " 3 the app can't be reached, or refuses; 130 interrupted: the batch goes on."
)
_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class OnInvalid(StrEnum):
    REJECT = "reject"
    SKIP = "skip"


@_app.command(epilog=_EPILOG)
def main(  # noqa: PLR0913  the command's options
    *,
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV, JSON or NDJSON."),
    ] = None,
    url: Annotated[str, typer.Option(envvar="CONNORG_URL", help="https://APP.azurewebsites.net")],
    key: Annotated[
        str | None,
        typer.Option(envvar="CONNORG_KEY", show_default=False, help="A function key."),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(help="Sign in at Entra instead: api://CLIENT-ID/.default"),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Show what would happen; start nothing.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="With --check: also rows that would just be created.")
    ] = False,
    on_invalid: Annotated[
        OnInvalid, typer.Option(help="Where rows have faults: start nothing, or the others.")
    ] = OnInvalid.REJECT,
    reference: Annotated[
        str | None, typer.Option(help="The ticket of all rows that name none.")
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Write what became of each row to this new CSV file."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="--results may replace a file.")
    ] = False,
    watch: Annotated[
        str | None, typer.Option(metavar="BATCH", help="Come back to a batch.")
    ] = None,
    retry: Annotated[
        str | None, typer.Option(metavar="BATCH", help="Try the rows that failed again.")
    ] = None,
    cancel: Annotated[
        str | None, typer.Option(metavar="BATCH", help="Cancel the rows that are not begun.")
    ] = None,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for an app that gives no answer.")
    ] = 600.0,
) -> None:
    """Onboard the partners in a file, and watch them to the end."""
    err = Console(stderr=True)
    try:
        command = Command(
            _task(file, watch, retry, cancel, check=check),
            url=_url(url),
            auth=_auth(key, scope),
            patience=patience,
            everything=everything,
            on_invalid=on_invalid,
            reference=reference,
            scope=scope,
            results=_writable(results, overwrite=overwrite),
            out=Console(),
            err=err,
        )
        code = command.run()
    except CommandError as error:
        show_error(err, error)
        code = error.code
    raise typer.Exit(code)


def _task(
    file: Path | None, watch: str | None, retry: str | None, cancel: str | None, *, check: bool
) -> tuple[Task, str]:
    tasks = {Task.CHECK if check else Task.START: str(file) if file else None}
    tasks |= {Task.WATCH: watch, Task.RETRY: retry, Task.CANCEL: cancel}
    match [(task, subject) for task, subject in tasks.items() if subject]:
        case [only]:
            return only
        case _:
            raise typer.BadParameter("Give either a FILE, or one of --watch, --retry, --cancel.")


def _url(text: str) -> str:
    url = text.strip().rstrip("/").removesuffix("/api")
    try:
        parts = urlsplit(url)
        own = parts.hostname in _OWN_MACHINE
    except ValueError:
        raise typer.BadParameter("--url is no address.") from None
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and own)):
        raise typer.BadParameter("--url must begin with https://, for keys go there.")
    return url


def _auth(key: str | None, scope: str | None) -> httpx.Auth:
    if scope:
        return EntraToken(scope)
    key = (key or "").strip()
    if not key:
        raise typer.BadParameter("Give --key (better: set CONNORG_KEY), or --scope to sign in.")
    if not (key.isascii() and key.isprintable()):
        raise typer.BadParameter("The key holds characters that no key has.")
    return FunctionKey(key)


def _writable(results: Path | None, *, overwrite: bool) -> Path | None:
    """Find out before anything begins whether the results will have a place."""
    if results is None:
        return None
    if results.exists() and not overwrite:
        raise CommandError(
            f"{results} exists already.", "Name another, or say --overwrite.", ExitCode.FAULTY
        )
    if not results.absolute().parent.is_dir():
        raise CommandError(
            f"{results.parent} is no folder.", "Name a folder that exists.", ExitCode.FAULTY
        )
    return results


def run() -> None:
    """Run it where it is installed, under its own name."""
    _app(prog_name="connorg")


if __name__ == "__main__":
    _app(prog_name="python -m connorg.command")
