"""Grant the app's managed identity what it needs in Microsoft Graph. It may be run twice.

    python -m infra.grant --principal-id ID [--tenant ID] [--with directory-role|app-role] [--check]
    python -m infra.grant caller --principal-id ID --app APP_ID --role Onboarding.Submit

Exit codes: 0 everything is there; 1 it could not be granted or verified; 2 wrong arguments; 3 with
--check: something is missing; 4 who is signed in may not do it, or nobody is signed in.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from infra.grant.entra import (
    Entra,
    EntraError,
    NotAllowedError,
    NotSignedInError,
    Principal,
    connected,
    graph_root,
)
from infra.grant.granting import Patience, UnsettledError, find, lacking, settle
from infra.grant.hand_over import TOKENS, hand_over
from infra.grant.rights import CALLER_ROLES, LOOKUP, WAYS, AppRole, Right

DONE, FAILED, _, LACKING, NOT_ALLOWED = range(5)
PATIENCE = 120  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    is_caller = given[:1] == ["caller"]
    chosen = parser_of("caller" if is_caller else "grant").parse_args(given[is_caller:])
    return asyncio.run(_run(chosen, _rights(chosen, is_caller=is_caller)))


async def _run(chosen: argparse.Namespace, rights: Sequence[Right]) -> int:
    patience = Patience(0 if chosen.check else chosen.patience)
    principal = Principal(chosen.principal_id or "OBJECT_ID", chosen.name or "of connorg")
    missing = tuple(rights)
    try:
        async with connected(chosen.tenant) as entra:
            principal = await find(entra, chosen.principal_id, chosen.name, patience)
            missing = await lacking(entra, principal, rights)
            return await _give(entra, principal, missing, chosen, patience)
    except NotSignedInError as error:
        return _fail(str(error), NOT_ALLOWED)
    except NotAllowedError as error:
        givers = " and ".join(sorted({right.giver for right in missing}))
        say(hand_over(principal.id, principal.name, missing, graph_root()))
        return _fail(
            f"{error} The signed-in user may not grant it. That needs {givers}.", NOT_ALLOWED
        )
    except (EntraError, UnsettledError, ValueError) as error:
        return _fail(str(error), FAILED)


async def _give(
    entra: Entra,
    principal: Principal,
    missing: Sequence[Right],
    chosen: argparse.Namespace,
    patience: Patience,
) -> int:
    if not missing:
        say(f"{principal.name} ({principal.id}) has everything. Nothing to do.")
        return DONE
    say(f"{principal.name} ({principal.id}) is missing:")
    for right in missing:
        say(f"  - {right.name}: {right.does}")
    if chosen.check:
        say(hand_over(principal.id, principal.name, missing, graph_root()))
        return LACKING
    if not chosen.yes and not _agreed():
        return _fail("Nothing was changed.", FAILED)
    await settle(entra, principal, missing, patience)
    say(f"Given and verified. {TOKENS}")
    return DONE


def _agreed() -> bool:
    try:
        return input("Grant it? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _rights(chosen: argparse.Namespace, *, is_caller: bool) -> list[Right]:
    if is_caller:
        return [AppRole(role, chosen.app, CALLER_ROLES[role]) for role in chosen.role]
    way: Right = WAYS[chosen.way]
    return [way, LOOKUP] if chosen.tenant_lookup else [way]


def parser_of(command: Literal["grant", "caller"]) -> argparse.ArgumentParser:
    is_caller = command == "caller"
    program = "python -m infra.grant" + (" caller" if is_caller else "")
    parser = argparse.ArgumentParser(
        prog=program, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--principal-id", type=_guid, metavar="ID", help="object id of the identity")
    who.add_argument("--name", help="its display name")
    parser.add_argument("--tenant", type=_guid, metavar="ID", help="sign in to this one")
    if is_caller:
        parser.add_argument("--app", type=_guid, required=True, help="client id of connorg")
        parser.add_argument("--role", required=True, action="append", choices=CALLER_ROLES)
    else:
        parser.add_argument(
            "--with", dest="way", choices=WAYS, default="directory-role", help="the least first"
        )
        parser.add_argument("--no-tenant-lookup", dest="tenant_lookup", action="store_false")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    parser.add_argument("--check", action="store_true", help="change nothing, say what is missing")
    parser.add_argument("--patience", type=float, default=PATIENCE, metavar="SECONDS")
    return parser


def _guid(text: str) -> str:
    """Raise ValueError."""
    return str(UUID(text))


def _fail(text: str, code: int) -> int:
    say(text, error=True)
    return code


def say(text: str, *, error: bool = False) -> None:
    out = sys.stderr if error else sys.stdout
    out.write(f"{text}\n")
    out.flush()


if __name__ == "__main__":
    sys.exit(main())
