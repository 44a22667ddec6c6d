"""All commands, and how the process ends."""

import sys
from importlib.metadata import PackageNotFoundError, version
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from connorg.command import files, login, onboardings, overview
from connorg.command.ending import MEANINGS, Ended, ExitCode
from connorg.command.session import NAME

_USAGE = 2  # with which typer ends where a command is not written as it must be
_CODES = "; ".join(f"{code:d} {meaning}" for code, meaning in MEANINGS.items())


class _Group(TyperGroup):
    """Takes the options of a command before its name too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        place = next((i for i, word in enumerate(args) if word in self.commands), 0)
        return super().parse_args(
            ctx, [*args[place : place + 1], *args[:place], *args[place + 1 :]]
        )


app = typer.Typer(
    cls=_Group,
    help="Onboard partners with a deployed connorg, and see the results.",
    epilog=f"Exit codes: {_CODES}.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for group in (files, overview, onboardings, login):
    group.register(app)


def _show_version(is_asked: bool) -> None:  # noqa: FBT001  typer's own form
    if is_asked:
        try:
            typer.echo(version(NAME))
        except PackageNotFoundError:
            typer.echo("a checkout, not installed")
        raise typer.Exit


@app.callback()
def main(
    *,
    is_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Onboard partners with a deployed connorg, and see the results."""


def run() -> None:
    """Run the command, and end the process with an exit code of the table."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and not stream.isatty():
            # On Windows a pipe would get another encoding, and each line of CSV two ends.
            stream.reconfigure(encoding="utf-8", newline="\n")
    try:
        app(prog_name=NAME)
    except Ended as ended:
        raise SystemExit(ended.code) from None
    except SystemExit as ended:
        raise SystemExit(ExitCode.FAULT if ended.code == _USAGE else ended.code) from None
