"""The overview: status, failed, health, reports."""

from collections import Counter
from enum import StrEnum
from typing import Annotated

import typer

from connorg.command.client import Json, json_of
from connorg.command.ending import CommandError, ExitCode
from connorg.command.files import CSV, show_organizations, write_csv
from connorg.command.options import FilterOptions, OutputOptions, command
from connorg.command.printing import count_of, moment, print_line, print_table, sentence
from connorg.command.session import Session, check_writable

PANEL = "Operations"
_DAYS = 7  # that are shown one by one
_CAUSES = 8  # that a screen has room for
_OPEN = ("NotStarted", "Running", "Waiting")
_NOT_FOUND, _UNAVAILABLE = 404, 503
_HEALTH = ("healthy", "degraded", "unhealthy")


class Report(StrEnum):
    WITHOUT_SPONSORS = "without-sponsors"
    PROPOSED = "proposed"
    UNREQUESTED = "unrequested"


class SponsorKind(StrEnum):
    INTERNAL = "internalSponsors"
    EXTERNAL = "externalSponsors"


def register(app: typer.Typer) -> None:
    command(app, PANEL)(status)
    command(app, PANEL)(failed)
    command(app, PANEL, needs_caller=False)(health)
    command(app, PANEL)(reports)


def status(session: Session, which: FilterOptions) -> ExitCode:
    """Show what was accepted, the results, and what waits and why, in one screen."""
    summary = json_of(session.app.get("onboardings/summary", which.parameters))
    counts = summary["byStatus"]
    left = counts.get("Failed", 0) + sum(counts.get(name, 0) for name in _OPEN)
    if session.is_json:
        session.print_json(summary)
    else:
        _show_summary(session, summary)
    if counts.get("Failed"):
        session.propose("To see why they failed, and what to do:", "failed", *which.given)
    return ExitCode.LEFT if left else ExitCode.DONE


def failed(session: Session, which: FilterOptions) -> ExitCode:
    """Show what failed, grouped by cause, with what to do about it."""
    asked = {**which.parameters, "status": "Failed"}
    summary = json_of(session.app.get("onboardings/summary", asked))
    causes = summary["byCode"]
    for cause in causes[:_CAUSES]:
        # It may have been forgotten since.
        found = session.app.get(f"onboardings/{cause['example']}", accepts=(_NOT_FOUND,))
        example = json_of(found)
        cause["message"] = (example.get("lastError") or {}).get("message")
    if session.is_json:
        session.print_json({"total": summary["total"], "causes": causes})
    else:
        _show_causes(session, summary["total"], causes)
    if not causes:
        return ExitCode.DONE
    session.propose("To see one of them in full:", "show", causes[0]["example"])
    session.propose(
        "To retry all, when the causes are corrected:", "retry", *which.given or ["--all"]
    )
    if len(causes) > 1:
        code = ["--code", causes[0]["code"]]
        session.propose("To retry those of one cause:", "retry", *code, *which.given)
    return ExitCode.LEFT


def health(session: Session) -> ExitCode:
    """Show whether the app is healthy, and what to do if it is not; with a key in detail."""
    told = json_of(session.app.get("health", accepts=(_UNAVAILABLE,)))
    checks = told["checks"]
    if session.has_caller:
        try:
            details = json_of(session.app.get("health/details"))
            checks += details["checks"]
            told["status"] = max(told["status"], details["status"], key=_HEALTH.index)
        except CommandError as error:
            session.tell(sentence("There are no details.", str(error), error.action))
    if any(check["name"] == "failures" and check["status"] != "healthy" for check in checks):
        session.propose("To see why they failed:", "failed", "--since", "24h")
    unwell = [check for check in checks if check["status"] != "healthy"]
    if session.is_json:
        session.print_json({**told, "checks": checks})
    else:
        rows = [
            (c["name"], c["status"], sentence(c.get("detail"), c.get("action")))
            for c in (*unwell, *(check for check in checks if check["status"] == "healthy"))
        ]
        print_table(session.out, ("Check", "Status", "Detail, and what to do"), rows)
        print_line(session.out, f"connorg {told['version']} is {told['status']}.")
    return ExitCode.LEFT if unwell else ExitCode.DONE


def reports(
    session: Session,
    output: OutputOptions,
    *,
    report: Annotated[
        Report | None,
        typer.Argument(help="The report to list; without it, the size of each report."),
    ] = None,
    kind: Annotated[
        SponsorKind | None,
        typer.Option(
            help="For without-sponsors: only organizations without sponsors of this kind."
        ),
    ] = None,
    older_than: Annotated[
        str | None,
        typer.Option(help="For proposed: the shortest time as proposed, such as 90m, 24h, 30d."),
    ] = None,
) -> ExitCode:
    """List organizations without sponsors, long proposed ones, and ones without a request."""
    check_writable(output.output, overwrite=output.overwrite)
    if (kind and report is not Report.WITHOUT_SPONSORS) or (
        older_than and report is not Report.PROPOSED
    ):
        raise CommandError(
            "--kind is an option of without-sponsors, --older-than of proposed.",
            "Name that report, or leave the option out.",
        )
    if output.output and report is None:
        raise CommandError("--output takes one report.", f"Name it: {', '.join(Report)}.")
    given: dict[Report, dict[str, str | None]] = {
        Report.WITHOUT_SPONSORS: {"kind": kind},
        Report.PROPOSED: {"olderThan": older_than},
        Report.UNREQUESTED: {},
    }
    if report is None:
        found = {
            each.value: json_of(session.app.get(f"reports/{each}", asked))["value"]
            for each, asked in given.items()
        }
        if session.is_json:
            session.print_json(found)
        else:
            rows = [(name, len(organizations)) for name, organizations in found.items()]
            print_table(session.out, ("Report", "Organizations"), rows)
            session.propose("To list them:", "reports", Report.WITHOUT_SPONSORS)
    elif session.is_json or (session.out.is_terminal and not output.output):
        answer = json_of(session.app.get(f"reports/{report}", given[report]))
        show_organizations(session, answer["value"])
    else:
        content = session.app.get(f"reports/{report}", given[report], headers=CSV).content
        write_csv(session, content, output)
    return ExitCode.DONE


def _show_summary(session: Session, summary: Json) -> None:
    statuses, channels = (
        ", ".join(f"{count:,} {name}" for name, count in summary[counts].items() if count)
        for counts in ("byStatus", "byChannel")
    )
    total = count_of(summary["total"], "onboarding")
    print_line(
        session.out, f"{total}: {statuses}. By channel: {channels}." if statuses else "None."
    )
    days = list(_by_day(summary["byHour"]).items())[-_DAYS:]
    print_table(
        session.out, ("Day (UTC)", "Accepted", "Succeeded", "Failed"), [(d, *n) for d, n in days]
    )
    print_table(
        session.out,
        ("Count", "Failed or waits because of", "What to do"),
        [(f"{c['count']:,}", c["code"], c.get("action")) for c in summary["byCode"][:_CAUSES]],
    )
    gate = summary["gate"]
    if not gate["open"]:
        until = f" until {moment(gate['until'])}" if gate.get("until") else ""
        told = f"Microsoft Graph is not called{until}."
        print_line(session.out, sentence(told, gate.get("reason"), gate.get("action")))


def _by_day(hours: list[Json]) -> dict[str, tuple[int, ...]]:
    """Return accepted, succeeded and failed of each day."""
    days: dict[str, Counter[str]] = {}
    names = ("accepted", "succeeded", "failed")
    for hour in hours:
        days.setdefault(hour["hour"][:10], Counter()).update({n: hour[n] for n in names})
    return {day: tuple(counts[name] for name in names) for day, counts in days.items()}


def _show_causes(session: Session, total: int, causes: list[Json]) -> None:
    rows = [
        (f"{c['count']:,}", c["code"], sentence(c.get("message"), c.get("action"))) for c in causes
    ]
    print_table(session.out, ("Count", "Cause", "Why (of the newest), and what to do"), rows)
    print_line(session.out, f"{total:,} failed." if total else "Nothing failed.")
