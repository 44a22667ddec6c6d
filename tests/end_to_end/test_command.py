"""`connorg` against the running app: what a person sees, and what it did.

What each command shows, to the letter, is in tests/unit/command.
"""

import csv
import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.local.child import ROOT
from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests import command
from tests.command import NARROW, Ended, at_terminal
from tests.end_to_end.batches import ended, partners
from tests.end_to_end.client import Connorg, Partner, eventually, failing_create

BATCH = r"batch-[0-9a-f]+"
PUBLIC_MAIL = "Anybody can get an address at this mail provider, so it does not identify a partner."


def environment(connorg: Connorg) -> dict[str, str]:
    return {"CONNORG_URL": connorg.stack.functions, "CONNORG_KEY": connorg.stack.key}


async def run(connorg: Connorg, *arguments: object, module: str = "connorg.command") -> Ended:
    told = await command.run(*arguments, env=environment(connorg), module=module)
    assert connorg.stack.key not in told.out + told.err
    return told


def run_here(connorg: Connorg, *arguments: object, columns: int | None = None) -> Ended:
    told = command.run_here(*arguments, env=environment(connorg), columns=columns)
    assert connorg.stack.key not in told.seen
    return told


def spreadsheet(folder: Path, rows: Sequence[Partner], *more: str) -> Path:
    """A file as Excel saves it."""
    path = folder / "partners.csv"
    lines = [
        "Domain;Organization name;State",
        *(f"{row.domain};The {row.domain};" for row in rows),
        *more,
    ]
    path.write_text("".join(f"{line}\r\n" for line in lines), encoding="utf-8-sig")
    return path


def batch_in(text: str) -> str:
    found = re.search(BATCH, text)
    assert found, text
    return found[0]


async def test_a_file_is_onboarded_and_its_results_are_written(
    connorg: Connorg, tmp_path: Path
) -> None:
    rows, results = partners(3), tmp_path / "out.csv"
    file = spreadsheet(tmp_path, rows)
    told = await run(connorg, "submit", file, "--output", results, "--reference", "REQ0042")
    assert told.code == 0, told.err
    batch = batch_in(told.out)
    assert told.out == f"Batch {batch}: 3 succeeded (3 created).\n"
    assert told.err.startswith(f"Batch {batch} has begun: 3 rows.\n")
    assert "3 of 3" in told.err
    for row in rows:
        assert len(await connorg.graph.organizations(row)) == 1
    listed = await connorg.listed(batch=batch)
    assert {onboarding["reference"] for onboarding in listed} == {"REQ0042"}
    with results.open(encoding="utf-8-sig", newline="") as lines:
        written = list(csv.DictReader(lines))
    assert [(line["row"], line["name"], line["status"]) for line in written] == [
        (str(number), row.domain, "Succeeded") for number, row in enumerate(rows, 2)
    ]
    assert results.read_bytes().startswith(b"\xef\xbb\xbf"), "Excel knows UTF-8 by it"


async def test_every_fault_is_shown_and_nothing_begins(untouched: Connorg, tmp_path: Path) -> None:
    good = Partner()
    file = spreadsheet(tmp_path, [good], "contoso;Contoso;active", "gmail.com;Gmail")
    before = await untouched.footprint()
    told = run_here(untouched, "submit", file)
    assert told.code == 1
    assert told.out.splitlines() == [
        "3\tDomain\tMust be a full domain such as contoso.com, not a single label.",
        "3\tState\tMust be 'configured' or 'proposed'.",
        f"4\tDomain\t{PUBLIC_MAIL}",
        "3 faults in 2 rows.",
    ]
    assert "Nothing was started." in told.err
    error = json.loads(run_here(untouched, "submit", file, "--json").out)["error"]
    assert [(fault["row"], fault["column"]) for fault in error["errors"]] == [
        (3, "Domain"),
        (3, "State"),
        (4, "Domain"),
    ]
    assert await untouched.footprint() == before
    assert run_here(untouched, "check", file).code == 1


async def test_the_other_rows_are_started_if_asked(connorg: Connorg, tmp_path: Path) -> None:
    good = Partner()
    file = spreadsheet(tmp_path, [good], "contoso;Contoso")
    told = run_here(connorg, "submit", file, "--on-invalid", "skip")
    assert told.code == 2
    [first, last] = told.out.splitlines()
    assert first.startswith("3\tcontoso\t")
    assert last.endswith(": 1 succeeded, 1 with faults (1 created).")
    assert len(await connorg.graph.organizations(good)) == 1


async def test_a_check_shows_what_needs_attention_and_starts_nothing(
    connorg: Connorg, tmp_path: Path
) -> None:
    known, other, new = Partner(), Partner(), Partner()
    await connorg.submit(
        known.body(displayName=f"The {known.domain}", description=f"The {known.domain}")
    )
    await connorg.graph.make_by_hand(other)
    file = spreadsheet(tmp_path, [new, known, new, other])
    told = run_here(connorg, "check", file)
    assert told.code == 0, told.err
    [exists, duplicate, differs, *counts] = told.out.splitlines()
    assert exists.split("\t") == ["3", known.domain, "exists already", ""]
    assert duplicate.split("\t")[:3] == ["4", new.domain, "says the same as row 2"]
    why = (
        f"displayName: it has Partner {other.domain}, the file asks for The {other.domain}."
        " description: it has A partner of the end-to-end tests, the file asks for"
        f" The {other.domain}."
        " `update` in the column If exists changes it."
    )
    assert differs.split("\t") == [
        "5",
        other.domain,
        "exists already",
        why,
    ]
    assert [count.split(maxsplit=1) for count in counts] == [
        ["1", "would be created"],
        ["2", "exists already"],
        ["1", "says the same as an earlier row"],
    ]
    assert "Nothing was started." in told.err
    assert f"2\t{new.domain}\twould be created" in run_here(connorg, "check", file, "--all").out
    assert await connorg.graph.creates(new) == []


async def test_a_check_says_which_column_stands_against_a_row(
    connorg: Connorg, tmp_path: Path
) -> None:
    there, under_way = Partner(), Partner()
    await connorg.graph.make_by_hand(there)
    await connorg.graph.fail_creates(under_way, "status", status=423)
    await connorg.submit(under_way.body(displayName="Other"), prefer="respond-async")
    file = tmp_path / "partners.csv"
    file.write_text(f"Domain,Name,If exists\n{there.domain},A,fail\n{under_way.domain},A,\n")
    told = run_here(connorg, "check", file)
    assert told.code == 2
    [fails, differs, *_] = told.out.splitlines()
    assert "Leave If exists out" in fails
    assert "displayName: it has Other, the file asks for " in differs
    assert "in the column If exists" in differs


async def test_results_replace_no_file_unless_asked(untouched: Connorg, tmp_path: Path) -> None:
    row, results = Partner(), tmp_path / "out.csv"
    file = spreadsheet(tmp_path, [row])
    results.write_text("somebody's work")
    before = await untouched.footprint()
    told = run_here(untouched, "submit", file, "--output", results)
    assert (told.code, results.read_text()) == (1, "somebody's work")
    assert f"{results} exists already." in told.err
    assert await untouched.footprint() == before, "it is found out before anything begins"
    told = run_here(untouched, "submit", file, "--output", results, "--overwrite")
    assert told.code == 0
    assert row.domain in results.read_text()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 as a workbook begins", "Save it as 'CSV UTF-8 (Comma delimited)'"),
        (b"", "The file is empty."),
        (b"Domain,Name\n" + b"a.example,A\n" * 5_001, "more than 5000 rows"),
        (b"Town,Name\n", "The file has no column Domain or Tenant ID. It has 'Town', 'Name'."),
    ],
)
async def test_a_file_that_is_none_is_told_so(
    connorg: Connorg, tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "partners"
    file.write_bytes(content)
    for word in ("submit", "check"):
        told = run_here(connorg, word, file)
        assert (told.code, told.out) == (1, "")
        assert sentence in told.err


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("submit FILE --key wrong", 1, "The app does not know the key"),
        ("watch batch-0", 1, "No batch has this id."),
        ("show 0", 1, "No onboarding has this id."),
        ("list --since yesterday", 1, "since must be a time"),
        ("retry batch-0", 1, "No batch has this id."),
        ("submit FILE --output no-such-folder/out.csv", 1, "is not a folder"),
    ],
)
async def test_what_can_not_be_done_is_said_with_its_exit_code(
    connorg: Connorg, tmp_path: Path, line: str, code: int, sentence: str
) -> None:
    file = str(spreadsheet(tmp_path, [Partner()]))
    told = run_here(connorg, *(file if word == "FILE" else word for word in line.split()))
    assert (told.code, told.out) == (code, "")
    assert sentence in told.err


async def test_an_interrupt_leaves_the_batch_running_and_says_how_to_come_back(
    connorg: Connorg, tmp_path: Path
) -> None:
    done, waiting = Partner(), Partner()
    await connorg.graph.fail_creates(waiting, "status", status=423)
    file, results = spreadsheet(tmp_path, [done, waiting]), tmp_path / "what came.csv"
    words = ("submit", file, "--output", results)
    async with at_terminal(*words, env=environment(connorg), columns=NARROW) as terminal:
        await terminal.shows(r"1 of 2 .*1 waiting")
        terminal.interrupt()
        assert await terminal.ended() == 130
    assert connorg.stack.key not in terminal.seen
    assert "The batch continues without this command." in terminal.seen
    assert not results.exists()
    [line] = [line for line in terminal.seen.splitlines() if " watch batch-" in line]
    _python, _m, module, *again = shlex.split(line)
    await connorg.graph.heal()
    told = await run(connorg, *again, module=module)
    assert told.code == 0, told.err
    assert told.out.endswith(": 2 succeeded (2 created).\n")
    assert waiting.domain in results.read_text()


async def test_failed_rows_are_retried_by_the_command_that_is_shown(
    connorg: Connorg, tmp_path: Path
) -> None:
    refused = Partner()
    await connorg.graph.fail_creates(refused, "status", status=400, times=1)
    told = run_here(connorg, "submit", spreadsheet(tmp_path, [refused]))
    assert told.code == 2
    assert told.out.startswith(f"2\t{refused.domain}\t")
    [line] = [line for line in told.err.splitlines() if line.startswith("connorg retry ")]
    told = run_here(connorg, *shlex.split(line)[1:])
    assert told.code == 0
    assert told.out.endswith(": 1 succeeded (1 created).\n")


async def test_a_batch_is_canceled(connorg: Connorg, tmp_path: Path) -> None:
    waiting = Partner()
    await connorg.graph.fail_creates(waiting, "status", status=423)
    file = spreadsheet(tmp_path, [waiting])
    async with at_terminal("submit", file, env=environment(connorg)) as terminal:
        await terminal.shows("1 waiting")
        batch = batch_in(terminal.seen)
        told = run_here(connorg, "cancel", batch)
        assert (told.code, told.out) == (0, f"Batch {batch}: 1 Canceled.\n")
        assert await terminal.ended() == 2
    assert (await ended(connorg, batch))["status"] == "Canceled"


async def test_a_watch_outlives_a_crash_of_the_app(frail: Connorg, tmp_path: Path) -> None:
    waiting = Partner()
    await frail.graph.fail_creates(waiting, "status", status=423)
    file = spreadsheet(tmp_path, [waiting])
    async with at_terminal("submit", file, env=environment(frail)) as terminal:
        await terminal.shows("1 waiting")
        frail.stack.kill("functions")
        await terminal.shows("does not answer")
        frail.stack.restart("functions")
        await frail.graph.heal()
        assert await terminal.ended() == 0
    await eventually(lambda: frail.graph.organizations(waiting), "nothing was created")
    assert "1 succeeded (1 created)" in terminal.seen


async def test_the_permission_that_is_missing_is_named(frail: Connorg) -> None:
    await frail.graph.configure(roles=[])
    told = run_here(frail, "export", "--patience", "0")
    assert (told.code, told.out) == (3, "")
    assert "EntitlementManagement.ReadWrite.All" in told.err
    told = run_here(frail, "status", columns=NARROW)
    assert "Microsoft Graph is not called" in told.out
    assert "EntitlementManagement.ReadWrite.All" in told.out
    told = run_here(frail, "health", columns=NARROW)
    assert told.code == 2
    assert "blocked" in told.out.splitlines()[1]
    await frail.graph.heal()
    await frail.let_time_pass_at_the_gate()
    await eventually(frail.is_healthy, "health still tells what is over")


@pytest.mark.parametrize(
    "counts", [(5, 3, 2), pytest.param((20, 12, 8), marks=pytest.mark.slow)], ids=sum
)
async def test_failures_of_three_causes_take_two_commands(
    connorg: Connorg, counts: tuple[int, int, int]
) -> None:
    refused, full, taken = ([Partner() for _ in range(count)] for count in counts)
    rows = [*refused, *full, *taken]
    ticket = rows[0].domain
    full_tenant = {"status": 403, "code": "QuotaLimitExceeded"}
    await connorg.graph.fail(
        *(failing_create(row, "status", status=400) for row in refused),
        *(failing_create(row, "status", **full_tenant) for row in full),
    )
    for row in taken:
        await connorg.graph.make_by_hand(row)
    for row in rows:
        await connorg.submit(
            row.body(reference=ticket, ifExists="fail" if row in taken else "return")
        )
    await connorg.graph.heal()
    for row in taken:
        await remove_by_hand(connorg, row)

    told = run_here(connorg, "failed", "--reference", ticket, columns=NARROW)
    assert told.code == 2
    assert re.findall(r"^ +(\d+)  (\w+)", told.out, re.MULTILINE) == [
        (str(len(refused)), "RefusedByGraph"),
        (str(len(full)), "TenantFull"),
        (str(len(taken)), "AlreadyConnected"),
    ]
    seen = " ".join(told.out.split())
    assert "It answered 400" in seen
    assert "Delete those that are not needed any more" in seen
    assert "connected already" in seen
    lines = [line for line in told.err.splitlines() if line.startswith("connorg retry ")]
    told = run_here(connorg, *shlex.split(lines[0])[1:])
    assert told.code == 0
    causes = f"{len(refused)} RefusedByGraph, {len(full)} TenantFull, {len(taken)} AlreadyConnected"
    assert told.out.startswith(f"{len(rows)} retried ({causes})")

    async def all_ended() -> bool:
        return run_here(connorg, "status", "--reference", ticket).code == 0

    await eventually(all_ended, "something failed or waits")
    for row in rows:
        assert len(await connorg.graph.organizations(row)) == 1


async def remove_by_hand(connorg: Connorg, partner: Partner) -> None:
    for organization in await connorg.graph.organizations(partner):
        name = organization["displayName"]
        path = f"connected-organizations/{organization['id']}?displayName={name}"
        key = {"x-functions-key": DEFAULT_MASTER_KEY}
        answer = await connorg.call("DELETE", path, key=False, headers=key)
        assert answer.status_code == 204, answer.text


async def test_an_operators_day(connorg: Connorg) -> None:
    """Each command finds in the real answers what it shows of them."""
    partner, waiting = Partner(), Partner()
    ticket = partner.domain
    done = (await connorg.submit(partner.body(reference=ticket, state="proposed"))).json()["id"]
    await connorg.graph.fail_creates(waiting, "status", status=423)
    await connorg.accepted(waiting.body(reference=ticket), prefer="respond-async")
    await connorg.only_one_listed(reference=ticket, status="Waiting")
    chosen = ("--reference", ticket)

    told = run_here(connorg, "status", *chosen)
    assert told.code == 2
    assert told.out.startswith("2 onboardings: 1 Waiting, 1 Succeeded. By channel: 2 http.\n")
    assert "1\tGraphBusy\t" in told.out
    assert (run_here(connorg, "failed", *chosen).code, run_here(connorg, "health").code) in {
        (0, 0),
        (0, 2),
    }
    listed = [line.split("\t") for line in run_here(connorg, "list", *chosen).out.splitlines()]
    assert [line[1:4] for line in listed] == [
        ["Waiting", waiting.domain, "GraphBusy"],
        ["Succeeded", partner.domain, ""],
    ]
    assert listed[1][4] == done
    shown = run_here(connorg, "show", done)
    assert (shown.code, "\tcreated\t" in shown.out) == (0, True)
    would = run_here(connorg, "cancel", *chosen, "--dry-run")
    assert (would.code, would.out.splitlines()[-1]) == (0, "1 would be canceled (1 GraphBusy).")
    assert run_here(connorg, "cancel", listed[0][4]).out == "1 canceled (1 GraphBusy).\n"
    assert run_here(connorg, "status", *chosen).code == 0
    for report in ("without-sponsors", "proposed", "unrequested"):
        told = run_here(connorg, "reports", report, "--json")
        names = [found["displayName"] for found in json.loads(told.out)["value"]]
        assert (f"Partner {partner.domain}" in names) == (report == "without-sponsors")
    exported = run_here(connorg, "export", "--domain", partner.domain).out
    assert [row["state"] for row in csv.DictReader(exported.splitlines())] == ["proposed"]

    told = run_here(connorg, "retry", done)
    assert (told.code, told.out.endswith("1 not.\n")) == (2, True)
    assert "only a failed onboarding" in told.out
    forget = ("forget", "--domain", partner.domain, "--key", DEFAULT_MASTER_KEY)
    assert run_here(connorg, *forget).code == 2
    assert run_here(connorg, "show", done).code == 0
    assert run_here(connorg, *forget, "--yes").code == 0
    assert run_here(connorg, "show", done).code == 1


async def test_pages_of_a_list_are_put_together(connorg: Connorg) -> None:
    rows = partners(3)
    for row in rows:
        await connorg.graph.make_by_hand(row, displayName="One of three")
    await connorg.graph.configure(pageSize=2)
    told = run_here(connorg, "export", "--name", "One of three")
    found = [row["domainName"] for row in csv.DictReader(told.out.splitlines())]
    assert sorted(found) == sorted(row.domain for row in rows)
    told = run_here(connorg, "export", "--name", "One of three", "--json")
    assert len(json.loads(told.out)["value"]) == len(rows)
    await connorg.graph.configure(pageSize=100)


async def test_what_the_page_tells_to_paste_does_what_it_says(
    connorg: Connorg, tmp_path: Path
) -> None:
    page = (ROOT / "docs/command.md").read_text()
    [example, _] = re.findall(r"```csv\n(.+?)```", page, re.DOTALL)
    file, new = tmp_path / "partners.csv", Partner()
    file.write_text(example.replace("contoso.com", new.domain), encoding="utf-8")
    assert run_here(connorg, "check", file).code == 0
    told = run_here(connorg, "submit", file)
    assert told.code == 0, told.err
    assert run_here(connorg, "watch", batch_in(told.out)).out == told.out


async def test_the_old_name_still_does_it(connorg: Connorg, tmp_path: Path) -> None:
    row = Partner()
    told = await run(connorg, spreadsheet(tmp_path, [row]), module="connorg.bulk")
    assert told.code == 0, told.err
    assert told.err.startswith("python -m connorg.bulk is now: connorg submit ")
    assert len(await connorg.graph.organizations(row)) == 1
