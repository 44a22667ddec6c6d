"""Examine a deployed app and say how to mend what is wrong.

    python -m infra.doctor --url https://APP.azurewebsites.net [--key KEY | --audience api://APP_ID]
                           [--principal-id ID] [--resource-group GROUP [--subscription ID]] [--json]

The key may stand in CONNORG_KEY, where the shell's history doesn't keep it.

Exit codes: 0 nothing is wrong, though there may be notes; 1 there are faults; 2 wrong arguments;
3 the app can't be examined: nothing of connorg answers there.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence

import httpx
from azure.core.exceptions import AzureError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.doctor import identity, templates
from infra.doctor.azure_cli import AzureCli
from infra.doctor.findings import Finding, Level, note
from infra.doctor.outside import Examination
from infra.grant.entra import sign_in

WELL, FAULTY, _, NOT_EXAMINED = range(4)
_ANSWER_SECONDS = 60  # a cold start included
_COLORS = {Level.OK: "green", Level.NOTE: "yellow", Level.FAULT: "red"}


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = parser().parse_args(arguments)
    findings = asyncio.run(_examine(chosen))
    if chosen.json:
        told = {"findings": [finding.as_json() for finding in findings]}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        _show(findings)
    return _exit_code(findings)


async def _examine(chosen: argparse.Namespace) -> list[Finding]:
    findings: list[Finding] = []
    credentials, trouble = await _credentials(chosen)
    async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as http:
        try:
            async for finding in Examination(chosen.url, http, credentials).findings():
                findings.append(finding)  # noqa: PERF401  what was found before it broke counts
        except httpx.HTTPError as error:
            text = f"The examination broke off ({type(error).__name__})."
            findings.append(Finding("address", Level.FAULT, text, "Run it again."))
    if chosen.principal_id:
        findings += [finding async for finding in identity.examine(chosen.principal_id)]
    if chosen.resource_group:
        azure = AzureCli(chosen.subscription)
        findings += [found async for found in templates.examine(chosen.resource_group, azure)]
    return findings + trouble


async def _credentials(chosen: argparse.Namespace) -> tuple[dict[str, str], list[Finding]]:
    if chosen.audience:
        try:
            async with sign_in() as credential:
                token = await credential.get_token(f"{chosen.audience.rstrip('/')}/.default")
        except AzureError:
            text = f"There is no token for {chosen.audience}."
            mend = "az login, and let the Azure CLI ask for such tokens (authorized client)."
            return {}, [note("sign-in", text, mend)]
        return {"Authorization": f"Bearer {token.token}"}, []
    key = chosen.key or os.environ.get("CONNORG_KEY")
    return ({"x-functions-key": key} if key else {}), []


def _exit_code(findings: Sequence[Finding]) -> int:
    if not any(found.check == "address" and found.level is Level.OK for found in findings):
        return NOT_EXAMINED
    return FAULTY if any(found.level is Level.FAULT for found in findings) else WELL


def _show(findings: Sequence[Finding]) -> None:
    """Show a table to people, and lines to what reads them: nothing that is to be copied is cut."""
    console = Console()
    if not console.is_terminal:
        for found in findings:
            told = (found.level, found.check, found.detail, found.mend)
            sys.stdout.write(": ".join(text for text in told if text) + "\n")
        return
    table = Table("", show_lines=True)
    for head in ("Check", "What was found", "What to do"):
        table.add_column(head, overflow="fold")
    for found in findings:
        mark = Text(found.level, style=_COLORS[found.level])
        table.add_row(mark, Text(found.check), Text(found.detail), Text(found.mend))
    console.print(table)


def parser() -> argparse.ArgumentParser:
    asked = argparse.ArgumentParser(
        prog="python -m infra.doctor",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    asked.add_argument("--url", required=True, help="the app's address, with or without /api")
    caller = asked.add_mutually_exclusive_group()
    caller.add_argument("--key", help="a function key")
    caller.add_argument("--audience", help="of an Entra token, such as api://APP_ID")
    asked.add_argument("--principal-id", metavar="ID", help="object id of the app's identity")
    asked.add_argument(
        "--resource-group",
        metavar="GROUP",
        help="compare what is deployed there with the templates, by the Azure CLI",
    )
    asked.add_argument("--subscription", metavar="ID", help="of the resource group")
    asked.add_argument("--json", action="store_true", help="for machines")
    return asked


if __name__ == "__main__":
    sys.exit(main())
