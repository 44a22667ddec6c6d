"""Onboardings one by one and many at once: show, list, retry, cancel, forget."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from connorg.command.client import Json, json_of
from connorg.command.ending import CommandError, ExitCode
from connorg.command.files import watch_batch
from connorg.command.options import FilterOptions, OutputOptions, command
from connorg.command.printing import count_of, moment, print_line, print_table, sentence
from connorg.command.session import Session

PANEL = "Operations"
_AT_ONCE = 500  # onboardings that one call takes
_SHOWN = 50
_BATCH = "batch-"


class Status(StrEnum):
    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    WAITING = "Waiting"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


@dataclass(frozen=True)
class _Act:
    """What is done to many at once."""

    route: str
    statuses: tuple[Status, ...]
    """Of those that it can be done to."""
    done: str
    not_done: str
    """Names of the answer."""
    word: str


_RETRY = _Act("retry", (Status.FAILED,), "replayed", "notReplayed", "retried")
_CANCEL = _Act(
    "cancel", (Status.NOT_STARTED, Status.WAITING), "canceled", "notCanceled", "canceled"
)

Ids = Annotated[
    list[str] | None,
    typer.Argument(help="Onboardings; or one batch, for its rows."),
]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list them; change nothing.")]


def register(app: typer.Typer) -> None:
    command(app, PANEL)(show)
    command(app, PANEL, name="list")(list_onboardings)
    command(app, PANEL)(retry)
    command(app, PANEL)(cancel)
    command(app, PANEL)(forget)


def show(
    session: Session,
    onboarding: Annotated[str, typer.Argument(metavar="ID", help="The id of an onboarding.")],
) -> ExitCode:
    """Show an onboarding with its history."""
    if onboarding.startswith(_BATCH):
        raise CommandError(
            "That is the id of a batch.",
            "Its rows are shown by:",
            command=session.written("results", onboarding),
        )
    found = json_of(session.app.get(f"onboardings/{onboarding}"))
    if session.is_json:
        session.print_json(found)
    else:
        _show(session, found)
    match found["status"]:
        case Status.SUCCEEDED | Status.CANCELED:
            return ExitCode.DONE
        case Status.FAILED:
            session.propose("To retry it, when the cause is corrected:", "retry", found["id"])
    return ExitCode.LEFT


def list_onboardings(
    session: Session,
    which: FilterOptions,
    *,
    status: Annotated[Status | None, typer.Option(help="Only those in this status.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many.")] = _SHOWN,
) -> ExitCode:
    """List onboardings, newest first."""
    asked = {**which.parameters, "status": status}
    found = list(session.app.entries("onboardings", asked, top))
    if session.is_json:
        session.print_json({"value": found})
    else:
        rows = [
            (
                moment(each["createdDateTime"]),
                each["status"],
                _partner(each),
                (each.get("lastError") or {}).get("code"),
                each["id"],
            )
            for each in found
        ]
        print_table(
            session.out, ("Accepted", "Status", "Partner", "Error", "Id"), rows, copied="Id"
        )
    if not found:
        session.tell("None matches.")
    elif len(found) == top:
        session.tell(f"There may be more than these {top:,}: use --top.")
    return ExitCode.DONE


def retry(
    session: Session,
    which: FilterOptions,
    *,
    ids: Ids = None,
    everything: All = False,
    dry_run: DryRun = False,
) -> ExitCode:
    """Retry what failed: by id, by filter, or all. Nothing is created twice."""
    if batch := _batch_of(ids, others=bool(which.given) or everything or dry_run):
        session.goes_on = "Rows may be retried or not. To see:"
        session.come_back = session.written("watch", batch)
        answer = session.app.post(f"batches/{batch}/retry")
        return watch_batch(session, answer, OutputOptions())
    chosen = _chosen(session, _RETRY, ids, which, everything=everything)
    return _act(session, _RETRY, chosen, dry_run=dry_run)


def cancel(  # noqa: PLR0913  the command's options
    session: Session,
    which: FilterOptions,
    *,
    ids: Ids = None,
    everything: All = False,
    dry_run: DryRun = False,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> ExitCode:
    """Cancel what waits: by id, by filter, or all. Existing organizations are not removed."""
    asks = session.can_ask and not is_sure and not dry_run
    if batch := _batch_of(ids, others=bool(which.given) or everything or dry_run):
        if asks:
            _confirm("Cancel the rows that are not done?")
        return _cancel_batch(session, batch)
    chosen = _chosen(session, _CANCEL, ids, which, everything=everything)
    if chosen and asks:
        _confirm(f"Cancel {count_of(len(chosen), 'onboarding')}?")
    return _act(session, _CANCEL, chosen, dry_run=dry_run)


def forget(
    session: Session,
    *,
    domain: Annotated[str | None, typer.Option(help="The partner's domain.")] = None,
    tenant_id: Annotated[str | None, typer.Option(help="The partner's tenant.")] = None,
    reference: Annotated[str | None, typer.Option(help="A ticket about this partner only.")] = None,
    is_sure: Annotated[
        bool, typer.Option("--yes", help="Erase the data; without this option they are only shown.")
    ] = False,
) -> ExitCode:
    """Erase what connorg stores of a partner. Nothing changes in Graph.

    It needs the master key, or a token with the app role Onboarding.Delete.
    """
    asked = {"domain": domain, "tenantId": tenant_id, "reference": reference}
    if len([name for name, value in asked.items() if value]) != 1:
        raise CommandError(
            "Specify the partner, in one way.", "Use one of --domain, --tenant-id, --reference."
        )
    session.goes_on = "It may be erased or not. Run it again to see."
    dry = {} if is_sure else {"dryRun": "true"}
    told = json_of(session.app.post("onboardings/forget", {**asked, **dry}))
    things = ("onboardings", "callbacks", "idempotencyKeys", "batchRows")
    if session.is_json:
        session.print_json(told)
    else:
        print_line(session.out, f"Known as: {', '.join(told['partners']) or 'nobody'}.")
        rows = [(name, told[name]["count"]) for name in things]
        print_table(session.out, ("Kind", "Erased" if is_sure else "Would be erased"), rows)
    if is_sure or not any(told[name]["count"] for name in things):
        return ExitCode.DONE
    session.tell("Nothing was erased. To erase it, add --yes.")
    return ExitCode.LEFT


def _cancel_batch(session: Session, batch: str) -> ExitCode:
    session.goes_on = "Rows may be canceled or not. To see:"
    session.come_back = session.written("results", batch)
    status = json_of(session.app.call("DELETE", f"batches/{batch}"))
    counts = status["counts"]
    if session.is_json:
        session.print_json(status)
    else:
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
        print_line(session.out, f"Batch {batch}: {told}.")
    is_left = counts.get("NotStarted") or counts.get("Waiting")
    return ExitCode.LEFT if is_left else ExitCode.DONE


def _show(session: Session, found: Json) -> None:
    error = found.get("lastError") or {}
    result = found.get("result") or {}
    facts = {
        "Onboarding": found["id"],
        "Partner": _partner(found),
        "Name": (found.get("request") or {}).get("displayName"),
        "Status": sentence(found["status"], found.get("conclusion")),
        "Channel": found.get("source"),
        "Reference": found.get("reference"),
        "Accepted": moment(found["createdDateTime"]),
        "Attempts": found["attempts"],
        "Next attempt": moment(found.get("nextAttemptDateTime")),
        "Organization": result.get("id"),
        "Error": error.get("code"),
        "Why": error.get("message"),
        "What to do": error.get("action"),
        **{f"Warning {i}": each["message"] for i, each in enumerate(found.get("warnings", ()), 1)},
        **{
            f"Differs in {each['attribute']}": each.get("actual")
            for each in found.get("differences", ())
        },
    }
    print_table(session.out, ("Field", "Value"), [f for f in facts.items() if f[1]])
    steps = [
        (
            moment(step["dateTime"]),
            step["step"],
            step["outcome"],
            step.get("code"),
            " ".join(str(step[n]) for n in ("graphStatus", "graphRequestId") if n in step),
            step.get("by"),
        )
        for step in found.get("history", ())
    ]
    headers = ("When", "Step", "Outcome", "Error", "Graph's status and request id", "By")
    print_table(session.out, headers, steps, copied=headers[4])


def _chosen(
    session: Session,
    act: _Act,
    ids: Sequence[str] | None,
    which: FilterOptions,
    *,
    everything: bool,
) -> list[str]:
    """Return the ids of those that it is to be done to. Raise CommandError where it isn't said."""
    if [bool(ids), bool(which.given), everything].count(True) != 1:
        raise CommandError(
            f"Specify which onboardings are to be {act.word}, in one way.",
            "Use ids, or filters such as --code, or --all.",
        )
    if ids:
        return list(dict.fromkeys(ids))
    return [
        each["id"]
        for status in act.statuses
        for each in session.app.entries("onboardings", {**which.parameters, "status": status})
    ]


def _act(session: Session, act: _Act, chosen: list[str], *, dry_run: bool) -> ExitCode:
    """Do it, as many at once as a call takes, and say what became of each."""
    told: Json = {"dryRun": dry_run, act.done: [], act.not_done: [], "onboardings": []}
    for start in range(0, len(chosen), _AT_ONCE):
        if not dry_run:
            done = len(told[act.done])
            session.goes_on = (
                f"{done:,} of {len(chosen):,} are {act.word}, and more may be. To see:"
            )
            session.come_back = session.written("status")
        some = chosen[start : start + _AT_ONCE]
        asked = {"dryRun": "true" if dry_run else None}
        answer = json_of(session.app.post(f"onboardings/{act.route}", asked, json={"ids": some}))
        for name in (act.done, act.not_done, "onboardings"):
            told[name] += answer.get(name, ())
    if session.is_json:
        session.print_json(told)
    else:
        _show_acted(session, act, told)
    if told[act.done] and not dry_run:
        session.propose("To see the results:", "status")
    return ExitCode.LEFT if told[act.not_done] else ExitCode.DONE


def _show_acted(session: Session, act: _Act, told: Json) -> None:
    known = {each["id"]: each for each in told["onboardings"]}
    if told["dryRun"]:
        rows = [
            (known[each].get("partner"), known[each].get("code"), each) for each in told[act.done]
        ]
        print_table(session.out, ("Partner", "Error", "Id"), rows, copied="Id")
    left = [
        (known.get(each["id"], {}).get("partner"), each["reason"], each.get("see") or each["id"])
        for each in told[act.not_done]
    ]
    print_table(session.out, ("Partner", f"Not {act.word} because", "See"), left, copied="See")
    would = "would be " if told["dryRun"] else ""
    done = [f"{len(told[act.done]):,} {would}{act.word}"] if told[act.done] else []
    not_done = [f"{len(left):,} not"] if left else []
    causes = Counter(known[each].get("code") for each in told[act.done] if each in known)
    by_cause = ", ".join(f"{n:,} {code}" for code, n in causes.most_common() if code)
    told_by = f" ({by_cause})" if by_cause else ""
    print_line(session.out, f"{', '.join(done + not_done) or 'None matches'}{told_by}.")


def _batch_of(ids: Sequence[str] | None, *, others: bool) -> str | None:
    """Return the one batch that is named in place of onboardings. Raise CommandError.

    `others`: whether there is something else that chooses, or a dry run, which no batch has.
    """
    batches = [each for each in ids or () if each.startswith(_BATCH)]
    if batches and (others or len(ids or ()) > 1):
        raise CommandError(
            "A batch is specified together with other ids, filters, --all or --dry-run.",
            "Specify only the batch. `results` shows its rows and changes nothing.",
        )
    return batches[0] if batches else None


def _confirm(question: str) -> None:
    if not typer.confirm(question, err=True):
        raise CommandError("Nothing was changed.")


def _partner(onboarding: Json) -> str:
    """Return the domain or the tenant id that an onboarding is about."""
    request = onboarding.get("request") or {}
    [source, *_] = request.get("identitySources") or [{}]
    return str(source.get("domainName") or source.get("tenantId") or "")
