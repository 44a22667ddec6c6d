"""The options that several commands have. A command takes each group of them as one value."""

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from rich.console import Console

from connorg.command.client import App
from connorg.command.connection import connect
from connorg.command.ending import CommandError, Ended, ExitCode
from connorg.command.printing import print_line, show_error
from connorg.command.profile import usual_place
from connorg.command.session import Session

_CONNECTION = "Connection"
_FILTERS = "Which onboardings"


@dataclass(frozen=True, kw_only=True)
class ConnectionOptions:
    url: Annotated[
        str | None,
        typer.Option(
            envvar="CONNORG_URL",
            metavar="ADDRESS",
            help="https://APP.azurewebsites.net, with or without /api.",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(
            envvar="CONNORG_KEY",
            show_default=False,
            help="A function key. Others can see a command line: prefer the variable.",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    scope: Annotated[
        str | None,
        typer.Option(
            envvar="CONNORG_SCOPE",
            help="Sign in to Entra instead of using a key: api://…/.default",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    profile: Annotated[
        Path | None,
        typer.Option(
            envvar="CONNORG_PROFILE",
            metavar="FILE",
            help="The file in which `connorg login` stores the connection.",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    patience: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="How long to wait for an app that does not answer: at most a minute, unless a"
            " batch is watched.",
            rich_help_panel=_CONNECTION,
        ),
    ] = 600.0
    is_json: Annotated[
        bool, typer.Option("--json", help="Print the app's answer as JSON; errors too.")
    ] = False

    @property
    def place(self) -> Path:
        """Where the profile is."""
        return self.profile or usual_place()


@dataclass(frozen=True, kw_only=True)
class FilterOptions:
    code: Annotated[
        str | None,
        typer.Option(help="The error code, as `failed` shows it.", rich_help_panel=_FILTERS),
    ] = None
    channel: Annotated[
        str | None,
        typer.Option(help="http, queue, batch or webhook:NAME.", rich_help_panel=_FILTERS),
    ] = None
    reference: Annotated[str | None, typer.Option(help="The ticket.", rich_help_panel=_FILTERS)] = (
        None
    )
    batch: Annotated[
        str | None, typer.Option(help="The id of a batch.", rich_help_panel=_FILTERS)
    ] = None
    since: Annotated[
        str | None,
        typer.Option(
            help="Accepted at this time or later: 24h, 7d, 2026-11-02T09:30:00Z.",
            rich_help_panel=_FILTERS,
        ),
    ] = None
    until: Annotated[
        str | None, typer.Option(help="Accepted at this time or earlier.", rich_help_panel=_FILTERS)
    ] = None
    text: Annotated[
        str | None,
        typer.Option(
            help="A text in the name, the domain, the tenant id or the reference.",
            rich_help_panel=_FILTERS,
        ),
    ] = None

    @property
    def parameters(self) -> dict[str, str | None]:
        """As the app's query parameters."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def given(self) -> list[str]:
        """The options as they were given, so that another command can be written with them."""
        return [
            word
            for name, value in self.parameters.items()
            if value
            for word in (f"--{name}", value)
        ]


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", dir_okay=False, metavar="FILE", help="Write a file, as CSV for Excel."
        ),
    ] = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = (
        False
    )


type Command = Callable[..., ExitCode]


def command(
    app: typer.Typer, panel: str, *, name: str | None = None, needs_caller: bool = True
) -> Callable[[Command], Command]:
    """Make a command of a function that says how it ended.

    A parameter that is a group of options becomes these options. A session is made of those of
    the connection; where no caller is needed, also without a key.
    """

    def registered(function: Command) -> Command:
        groups: dict[str, Any] = {
            name: ConnectionOptions if hint is Session else hint
            for name, hint in get_type_hints(function).items()
            if hint is Session or is_dataclass(hint)
        }

        def run(**given: Any) -> None:
            for parameter, group in groups.items():
                taken = {field.name: given.pop(field.name) for field in fields(group)}
                given[parameter] = group(**taken)
            options = given.get("session")
            if isinstance(options, ConnectionOptions):
                raise Ended(_in_session(function, given, options, needs_caller=needs_caller))
            raise Ended(function(**given))

        parameters = list(_flat(function, groups))
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(name or function.__name__, rich_help_panel=panel, help=function.__doc__)(run)
        return function

    return registered


def _flat(function: Command, groups: dict[str, Any]) -> Iterator[inspect.Parameter]:
    """Return the parameters that typer is to see: the options of each group one by one, last."""
    hints = get_type_hints(function, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    for name, own in inspect.signature(function).parameters.items():
        if name not in groups:
            yield own.replace(kind=keyword, annotation=hints[name])
    for group in reversed(groups.values()):
        kinds = get_type_hints(group, include_extras=True)
        for each in fields(group):
            yield inspect.Parameter(
                each.name, keyword, default=each.default, annotation=kinds[each.name]
            )


def _in_session(
    function: Command, given: dict[str, Any], options: ConnectionOptions, *, needs_caller: bool
) -> ExitCode:
    """Run a command. An error is shown, and becomes its exit code."""
    out, err = Console(highlight=False), Console(stderr=True, highlight=False)
    session = None
    try:
        session = _session(options, out, err, needs_caller=needs_caller)
        return function(**{**given, "session": session})
    except (KeyboardInterrupt, typer.Abort):
        error = CommandError(
            "Interrupted.",
            session.goes_on if session else Session.goes_on,
            ExitCode.INTERRUPTED,
            command=session.come_back if session else "",
        )
    except CommandError as raised:
        error = raised
    except (LookupError, TypeError, ValueError) as raised:
        error = CommandError(
            f"This version of the command can't read the app's answer ({type(raised).__name__}).",
            "Check --url, and that the versions of the app (`health`) and the command agree.",
        )
    except OSError as raised:
        if isinstance(raised, BrokenPipeError):
            raise  # the reader closed the pipe: typer ends it silently
        print_line(err, f"It could not be done: {raised}.")
        sys.stdout = None  # what it still holds can't be written either, where it is full
        return ExitCode.FAULT
    show_error(error, out, err, is_json=options.is_json)
    return error.code


def _session(
    options: ConnectionOptions, out: Console, err: Console, *, needs_caller: bool
) -> Session:
    connection = connect(
        options.url, options.key, options.scope, options.place, needs_caller=needs_caller
    )
    return Session(
        app=App(
            connection.url,
            connection.auth(),
            options.patience,
            lambda text: print_line(err, text),
        ),
        connection=connection,
        profile=options.place,
        given=[
            word
            for name in ("url", "scope", "profile")
            if (value := getattr(options, name))
            for word in (f"--{name}", str(value))
        ],
        is_json=options.is_json,
        out=out,
        err=err,
    )
