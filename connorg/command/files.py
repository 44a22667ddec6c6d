"""Files of partners, and what there is in Graph: check, submit, export, watch, results."""

import mimetypes
import uuid
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import httpx
import typer

from connorg.command.client import Json, Upload, json_of
from connorg.command.ending import CommandError, ExitCode
from connorg.command.options import OutputOptions, command
from connorg.command.printing import count_of, print_line, print_table, sentence
from connorg.command.session import Session, check_writable, write_file
from connorg.command.watching import watch as watch_to_the_end

PANEL = "Files"
_MARK = b"\xef\xbb\xbf"  # by which Excel knows UTF-8
CSV = {"accept": "text/csv"}
_OUTLOOKS = {
    "create": "would be created",
    "exists": "exists already",
    "update": "would be changed",
    "underWay": "is under way already",
    "refused": "would be refused",
    "duplicate": "says the same as an earlier row",
    "invalid": "has faults",
}
_STATUSES = {
    "NotStarted": "not begun",
    "Waiting": "waiting",
    "Succeeded": "succeeded",
    "Failed": "failed",
    "Canceled": "canceled",
    "Invalid": "with faults",
}

PartnerFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", exists=True, dir_okay=False, readable=True, help="CSV, JSON or NDJSON."
    ),
]
BatchId = Annotated[str, typer.Argument(metavar="BATCH", help="The id that `submit` showed.")]


class OnInvalid(StrEnum):
    REJECT = "reject"
    SKIP = "skip"


class State(StrEnum):
    CONFIGURED = "configured"
    PROPOSED = "proposed"


def register(app: typer.Typer) -> None:
    command(app, PANEL)(check)
    command(app, PANEL)(submit)
    command(app, PANEL)(export)
    command(app, PANEL)(watch)
    command(app, PANEL)(results)


def check(
    session: Session,
    file: PartnerFile,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Also show rows that would only be created.")
    ] = False,
) -> ExitCode:
    """Show every fault of a file, and what would happen to each row. Nothing is created."""
    with session.err.status("Looking at every row …"):
        forecast = json_of(session.app.upload(_upload(file), {"dryRun": "true"}, {}))
    if session.is_json:
        session.print_json(forecast)
    else:
        _show_forecast(session, forecast, everything=everything)
    counts = forecast["counts"]
    if counts.get("invalid"):
        return ExitCode.FAULT
    if counts.get("refused"):
        return ExitCode.LEFT
    session.propose("To start it:", "submit", file)
    return ExitCode.DONE


def submit(
    session: Session,
    file: PartnerFile,
    output: OutputOptions,
    *,
    on_invalid: Annotated[
        OnInvalid, typer.Option(help="If rows have faults, start nothing, or start the other rows.")
    ] = OnInvalid.REJECT,
    reference: Annotated[
        str | None, typer.Option(help="The ticket of all rows without one.")
    ] = None,
) -> ExitCode:
    """Onboard the partners in a file, and watch them to the end."""
    check_writable(output.output, overwrite=output.overwrite)
    session.goes_on = (
        "The batch may have begun or not. Send the file again: no partner is onboarded twice."
    )
    try:
        with session.err.status("Sending the file …"):
            answer = session.app.upload(
                _upload(file),
                {"onInvalid": on_invalid, "reference": reference},
                # A call whose answer was lost is repeated, and must not begin a second batch.
                {"idempotency-key": uuid.uuid4().hex},
            )
    except CommandError as error:
        if not error.faults:
            raise
        if not session.is_json:
            _show_faults(session, error)
        action = "Correct them and send the file again, or add --on-invalid skip."
        raise CommandError("Nothing was started.", action, error.code, error.problem) from None
    status = json_of(answer)
    session.tell(f"Batch {status['id']} has begun: {count_of(status['rows'], 'row')}.")
    _tell_ignored(session, status)
    return watch_batch(session, answer, output)


def export(  # noqa: PLR0913  the command's options
    session: Session,
    output: OutputOptions,
    *,
    name: Annotated[str | None, typer.Option(help="Only this display name.")] = None,
    state: Annotated[State | None, typer.Option(help="Only this state.")] = None,
    domain: Annotated[str | None, typer.Option(help="Only this domain.")] = None,
    tenant_id: Annotated[str | None, typer.Option(help="Only this tenant.")] = None,
) -> ExitCode:
    """List the organizations in Graph, as CSV (which can be sent as a file again) or JSON."""
    check_writable(output.output, overwrite=output.overwrite)
    route = "connected-organizations"
    asked = {"displayName": name, "state": state, "domainName": domain, "tenantId": tenant_id}
    if session.is_json or (session.out.is_terminal and not output.output):
        found = list(session.app.entries(route, asked))
        show_organizations(session, found)
    else:
        pages = session.app.pages(route, asked, None, headers=CSV)
        write_csv(session, _joined(pages), output)
    return ExitCode.DONE


def watch(session: Session, batch: BatchId, output: OutputOptions) -> ExitCode:
    """Watch a batch to the end."""
    check_writable(output.output, overwrite=output.overwrite)
    return watch_batch(session, session.app.get(f"batches/{batch}"), output)


def results(session: Session, batch: BatchId, output: OutputOptions) -> ExitCode:
    """Show the result of each row of a batch."""
    check_writable(output.output, overwrite=output.overwrite)
    route = f"batches/{batch}/results"
    if session.is_json or (session.out.is_terminal and not output.output):
        found = json_of(session.app.get(route))
        if session.is_json:
            session.print_json(found)
        else:
            headers = ("Row", "Partner", "Status", "Why", "Onboarding")
            rows = list(map(_result, found["value"]))
            print_table(session.out, headers, rows, copied="Onboarding")
    else:
        write_csv(session, session.app.get(route, headers=CSV).content, output)
    return ExitCode.DONE


def watch_batch(session: Session, answer: httpx.Response, output: OutputOptions) -> ExitCode:
    """Watch a batch to the end, and show what became of it. `answer` is its first status."""
    batch = json_of(answer)["id"]
    options = ["--output", output.output] if output.output else []
    session.come_back = session.written("watch", batch, *options)
    session.goes_on = "The batch continues without this command. To watch it again:"
    try:
        status = watch_to_the_end(session.app, answer, session.err)
        if output.output:
            route = f"batches/{batch}/results"
            write_csv(session, session.app.get(route, headers=CSV).content, output)
    except CommandError as error:
        action = sentence(error.action, session.goes_on)
        raise CommandError(
            str(error), action, error.code, error.problem, session.come_back
        ) from None
    if session.is_json:
        session.print_json(status)
    else:
        _show_end(session, status)
    faulty = sum(status["counts"].get(name, 0) for name in ("Failed", "Invalid"))
    if faulty > len(status.get("firstErrors", ())):
        session.propose("To see all of them:", "results", batch)
    if status["counts"].get("Failed"):
        session.propose(
            "To retry the rows that failed, when the causes are corrected:", "retry", batch
        )
    return ExitCode.DONE if status["status"] == "Succeeded" else ExitCode.LEFT


def show_organizations(session: Session, found: list[Json]) -> None:
    if session.is_json:
        session.print_json({"value": found})
        return
    rows = [
        (each.get("displayName"), each.get("state"), _sources(each), each["id"]) for each in found
    ]
    print_table(session.out, ("Name", "State", "Domain or tenant", "Id"), rows, copied="Id")
    print_line(session.out, f"{count_of(len(found), 'organization')}.")


def write_csv(session: Session, content: bytes, output: OutputOptions) -> None:
    if output.output is None:
        session.out.file.write(content.decode())
        return
    write_file(output.output, _MARK + content, overwrite=output.overwrite)
    session.tell(f"Written: {output.output}")


def _joined(pages: Iterator[httpx.Response]) -> bytes:
    """Return pages of CSV as one, with the header once."""
    first, *others = (page.content for page in pages)
    return first + b"".join(page.partition(b"\n")[2] for page in others)


def _upload(file: Path) -> Upload:
    content_type = mimetypes.guess_type(file)[0] or "application/octet-stream"
    try:
        return Upload(file.read_bytes(), content_type)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.") from None


def _show_faults(session: Session, error: CommandError) -> None:
    rows = [
        (fault.get("row"), fault.get("column") or fault.get("pointer"), fault.get("detail"))
        for fault in error.faults
    ]
    print_table(session.out, ("Row", "Column", "What is wrong"), rows)
    numbers = {row for row, *_ in rows}
    told = f"{count_of(len(rows), 'fault')} in {count_of(len(numbers), 'row')}."
    print_line(session.out, told)


def _show_forecast(session: Session, forecast: Json, *, everything: bool) -> None:
    """Show every row that is not simply created, or all; and the counts."""
    rows = [
        row
        for row in forecast["rows"]
        if everything or row["prospect"] != "create" or row.get("note")
    ]
    print_table(
        session.out,
        ("Row", "Partner", "What would happen", "Why"),
        [(r["row"], r["name"], _outlook(r), why) for r in rows for why in _reasons(r)],
    )
    for prospect, count in forecast["counts"].items():
        if count:
            print_line(session.out, f"{count:>7,}  {_OUTLOOKS.get(prospect, prospect)}")
    _tell_ignored(session, forecast)
    session.tell("Nothing was started. Tenants behind domains were not looked up.")


def _tell_ignored(session: Session, body: Json) -> None:
    if ignored := body.get("ignoredColumns"):
        session.tell(f"Columns that are not read: {', '.join(ignored)}.")


def _outlook(row: Json) -> str:
    prospect = str(row["prospect"])
    if prospect == "duplicate":
        return f"says the same as row {row.get('duplicateOf')}"
    return _OUTLOOKS.get(prospect, prospect)


def _reasons(row: Json) -> list[str]:
    """Return a line for each fault; or one that says why, and what to do."""
    if faults := row.get("errors"):
        return [_placed(fault) for fault in faults]
    differences = row.get("differences", ())
    told = [
        _advice(row.get("error") or {}),
        " ".join(map(_difference, differences)),
        "`update` in the column If exists changes it." if _stays(row) and differences else None,
        row.get("note"),
    ]
    return [sentence(*told)]


def _difference(difference: Json) -> str:
    asked, actual = (difference.get(name) for name in ("requested", "actual"))
    return f"{difference['attribute']}: it has {actual or 'none'}, the file asks for {asked}."


def _stays(row: Json) -> bool:
    return bool(row["prospect"] == "exists")


def _advice(error: Json) -> str:
    """Return an error and what to do. In a file the field `ifExists` is the column If exists."""
    told = sentence(error.get("message"), error.get("action"))
    if error.get("code") == "IdentitySourceInUse":
        told = sentence(told, "Write `return` or `update` in the column ifExists.")
    return told.replace("ifExists", "If exists")


def _placed(fault: Json) -> str:
    place = fault.get("column") or fault.get("pointer")
    return f"{place}: {fault.get('detail')}" if place else str(fault.get("detail"))


def _show_end(session: Session, status: Json) -> None:
    print_table(
        session.out,
        ("Row", "Partner", "Why, and what to do"),
        [(e["row"], e["name"], _advice(e["error"])) for e in status.get("firstErrors", ())],
    )
    counts = [f"{n:,} {_STATUSES.get(name, name)}" for name, n in status["counts"].items() if n]
    conclusions = [f"{n:,} {name}" for name, n in status["conclusions"].items() if n]
    of_them = f" ({', '.join(conclusions)})" if conclusions else ""
    print_line(session.out, f"Batch {status['id']}: {', '.join(counts)}{of_them}.")


def _result(row: Json) -> tuple[object, ...]:
    status = _STATUSES.get(row["status"], row["status"])
    code = row.get("errorCode")
    error = {"message": row.get("error"), "action": row.get("action"), "code": code}
    # The history of one that succeeded is not needed.
    onboarding = None if row["status"] == "Succeeded" else row.get("onboardingId")
    return row["row"], row["name"], status, _advice(error) or row.get("conclusion"), onboarding


def _sources(organization: Json) -> str:
    named = (
        source.get("domainName") or source.get("tenantId") or source.get("displayName")
        for source in organization.get("identitySources", ())
    )
    return ", ".join(filter(None, named))
