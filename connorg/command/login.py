"""Keep a connection in the profile, once it was tried: login."""

from dataclasses import asdict, replace

import typer

from connorg.command.client import App
from connorg.command.connection import key_of
from connorg.command.ending import CommandError, ExitCode
from connorg.command.options import command
from connorg.command.printing import print_line, print_table
from connorg.command.profile import write_profile
from connorg.command.session import Session
from connorg.command.sign_in import EntraToken

PANEL = "Connection"
_ROLES = {
    "Onboarding.Read": "status, failed, show, list, watch, results, export, reports",
    "Onboarding.Submit": "check, submit",
    "Onboarding.Manage": "retry, cancel, details of health, rows with `update`",
    "Onboarding.Delete": "forget",
}
_NEEDS = (
    "The app registration needs: an identifier URI, of which --scope is URI/.default; the delegated"
    " scope access_as_user, with the Azure CLI (04b07795-8ddb-461a-bbee-02f9e1bf7b46) as a"
    " pre-authorized client; the app roles below, assigned to the caller. infra/entra makes it"
    " so. The app needs CONNORG_ENTRA_TENANT and CONNORG_ENTRA_AUDIENCE (docs/http.md)."
)


def register(app: typer.Typer) -> None:
    command(app, PANEL, needs_caller=False)(login)


def login(session: Session) -> ExitCode:
    """Try a connection and store it in the profile, so that commands need no options for it.

    With --scope it signs in to Entra, with `az login`, a pipeline's identity or the browser, and
    shows what the app registration needs. Without --scope it asks for a missing function key.
    """
    connection = session.connection
    if not session.has_caller:
        if not session.can_ask:
            raise CommandError("There is no credential.", "Set CONNORG_KEY, or use --scope.")
        key = typer.prompt("Function key", hide_input=True, err=True)
        connection = replace(connection, key=key_of(key))
    if connection.scope:
        print_line(session.err, _NEEDS)
    caller = connection.auth()
    # A caller that may only submit is recognized too.
    App(connection.url, caller, 0, session.tell).get("onboardings", {"top": "1"}, accepts=(403,))
    write_profile(session.profile, {k: v for k, v in asdict(connection).items() if v})
    told = {"url": connection.url, "profile": str(session.profile)}
    if isinstance(caller, EntraToken):
        claims = caller.claims()
        told |= {"caller": str(claims.get("preferred_username") or claims.get("oid") or "")}
        roles = claims.get("roles", [])
        _show_roles(session, roles)
    if session.is_json:
        session.print_json(told)
    else:
        for name, value in told.items():
            print_line(session.out, f"{name}: {value}")
    return ExitCode.DONE


def _show_roles(session: Session, held: list[str]) -> None:
    rows = [(role, "assigned" if role in held else "missing", use) for role, use in _ROLES.items()]
    print_table(session.err, ("App role", "You", "For"), rows)
