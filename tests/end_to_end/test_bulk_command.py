"""`python -m connorg.command` against the running app: what a person sees, and what it did."""

import csv
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from connorg.command.ending import ExitCode
from infra.local.child import ROOT
from tests import bulk_command
from tests.bulk_command import Ended, Terminal
from tests.end_to_end.batches import ended, partners
from tests.end_to_end.client import Connorg, Partner, eventually

BATCH = r"batch-[0-9a-f]+"


def environment(connorg: Connorg) -> dict[str, str]:
    return {"CONNORG_URL": connorg.stack.functions, "CONNORG_KEY": connorg.stack.key}


async def run(connorg: Connorg, *arguments: object) -> Ended:
    told = await bulk_command.run(*arguments, env=environment(connorg))
    assert connorg.stack.key not in told.out + told.err
    return told


def spreadsheet(folder: Path, rows: Sequence[Partner], *more: str) -> Path:
    """A file as Excel saves it."""
    path = folder / "partners.csv"
    lines = ["Domain;Organization name;State", *(f"{row.domain};Partner;" for row in rows), *more]
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
    told = await run(connorg, file, "--results", results, "--reference", "REQ0042")
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
    told = await run(untouched, file)
    assert told.code == 2
    assert told.out.splitlines() == [
        "3\tDomain\tMust be a full domain such as contoso.com, not a single label.",
        "3\tState\tMust be 'configured' or 'proposed'.",
        "4\tDomain\tAnybody can get an address at this mail provider, so it stands for no partner.",
        "3 faults in 2 rows.",
    ]
    assert "Nothing was started." in told.err
    assert await untouched.footprint() == before


async def test_the_other_rows_are_started_if_asked(connorg: Connorg, tmp_path: Path) -> None:
    good = Partner()
    file = spreadsheet(tmp_path, [good], "contoso;Contoso")
    told = await run(connorg, file, "--on-invalid", "skip")
    assert told.code == 1
    [first, last] = told.out.splitlines()
    assert first.startswith("3\tcontoso\t")
    assert last.endswith(": 1 succeeded, 1 with faults (1 created).")
    assert len(await connorg.graph.organizations(good)) == 1


async def test_a_check_shows_what_needs_attention_and_starts_nothing(
    connorg: Connorg, tmp_path: Path
) -> None:
    known, new = Partner(), Partner()
    await connorg.submit(known.body(displayName="Partner", description="Partner"))
    file = spreadsheet(tmp_path, [new, known, new])
    told = await run(connorg, file, "--check")
    assert told.code == 0, told.err
    [exists, duplicate, *counts] = told.out.splitlines()
    assert exists.split("\t")[:3] == ["3", known.domain, "exists already"]
    assert duplicate.split("\t")[:3] == ["4", new.domain, "says the same as row 2"]
    assert [count.split(maxsplit=1) for count in counts[:3]] == [
        ["1", "would be created"],
        ["1", "exists already"],
        ["1", "says the same as an earlier row"],
    ]
    assert counts[-1].startswith("Nothing was started.")
    everything = await run(connorg, file, "--check", "--all")
    assert f"2\t{new.domain}\twould be created" in everything.out
    assert await connorg.graph.creates(new) == []


async def test_a_check_of_a_file_with_faults_ends_as_one(connorg: Connorg, tmp_path: Path) -> None:
    told = await run(connorg, spreadsheet(tmp_path, [], "contoso;Contoso"), "--check")
    assert told.code == 2
    assert told.out.startswith("2\tcontoso\thas faults\tDomain: Must be a full domain")


async def test_results_replace_no_file_unless_asked(untouched: Connorg, tmp_path: Path) -> None:
    row, results = Partner(), tmp_path / "out.csv"
    file = spreadsheet(tmp_path, [row])
    results.write_text("somebody's work")
    before = await untouched.footprint()
    told = await run(untouched, file, "--results", results)
    assert (told.code, results.read_text()) == (2, "somebody's work")
    assert f"{results} exists already." in told.err
    assert await untouched.footprint() == before, "it is found out before anything begins"
    told = await run(untouched, file, "--results", results, "--overwrite")
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
    told = bulk_command.run_here(file, env=environment(connorg))
    assert (told.code, told.out) == (2, "")
    assert sentence in told.err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["FILE", "--key", "wrong"], 3, "The app does not know the caller."),
        (["FILE", "--url", "http://127.0.0.1:1"], 3, "can't be reached"),
        (["--watch", "batch-0"], 3, "No batch has this id."),
        (["FILE", "--url", "http://connorg.example"], 2, "must begin with https://"),
        (["FILE", "--watch", "batch-0"], 2, "Give either a FILE, or one of"),
        ([], 2, "Give either a FILE, or one of"),
        (["no-such-file.csv"], 2, "does not exist"),
        (["FILE", "--key", " "], 2, "Give --key"),
        (["FILE", "--results", "no-such-folder/out.csv"], 2, "is no folder"),
    ],
)
async def test_what_can_not_be_done_is_said_with_its_exit_code(
    connorg: Connorg, tmp_path: Path, arguments: list[str], code: int, sentence: str
) -> None:
    file = str(spreadsheet(tmp_path, [Partner()]))
    given = (file if word == "FILE" else word for word in arguments)
    told = bulk_command.run_here(*given, env=environment(connorg))
    assert (told.code, told.out) == (code, "")
    assert sentence in told.err


async def test_the_help_shows_no_key_that_is_set(connorg: Connorg) -> None:
    told = await run(connorg, "--help")
    assert told.code == 0
    assert "CONNORG_KEY" in told.out
    assert "130" in told.out


async def test_an_interrupt_leaves_the_batch_running_and_says_how_to_come_back(
    connorg: Connorg, tmp_path: Path
) -> None:
    done, waiting = Partner(), Partner()
    await connorg.graph.fail_creates(waiting, "status", status=423)
    file, results = spreadsheet(tmp_path, [done, waiting]), tmp_path / "what came.csv"
    async with Terminal(file, "--results", results, env=environment(connorg)) as terminal:
        await terminal.shows(r"1 of 2 .*1 waiting")
        await terminal.interrupt()
        assert await terminal.ended() == 130
    assert connorg.stack.key not in terminal.seen
    assert "The batch goes on." in terminal.seen
    assert not results.exists()
    [line] = [line for line in terminal.seen.splitlines() if line.startswith("python -m ")]
    await connorg.graph.heal()
    told = await run(connorg, *shlex.split(line)[3:])
    assert told.code == 0, told.err
    assert told.out.endswith(": 2 succeeded (2 created).\n")
    assert waiting.domain in results.read_text()


async def test_a_terminal_shows_faults_as_a_table(connorg: Connorg, tmp_path: Path) -> None:
    file = spreadsheet(tmp_path, [], "contoso;Contoso")
    async with Terminal(file, "--check", env=environment(connorg)) as terminal:
        assert await terminal.ended() == 2
    assert re.search(r"Row +Partner +What would happen +Why", terminal.seen)
    assert re.search(r" 2 +contoso +has faults +Domain: Must be a full domain", terminal.seen)


async def test_failed_rows_are_shown_and_tried_again(connorg: Connorg, tmp_path: Path) -> None:
    refused = Partner()
    await connorg.graph.fail_creates(refused, "status", status=400, times=1)
    told = await run(connorg, spreadsheet(tmp_path, [refused]))
    assert told.code == 1
    assert told.out.startswith(f"2\t{refused.domain}\t")
    told = await run(connorg, "--retry", batch_in(told.out))
    assert told.code == 0
    assert told.out.endswith(": 1 succeeded (1 created).\n")


async def test_a_batch_is_cancelled(connorg: Connorg, tmp_path: Path) -> None:
    waiting = Partner()
    await connorg.graph.fail_creates(waiting, "status", status=423)
    file = spreadsheet(tmp_path, [waiting])
    async with Terminal(file, env=environment(connorg)) as terminal:
        await terminal.shows("1 waiting")
        batch = batch_in(terminal.seen)
        told = await run(connorg, "--cancel", batch)
        assert (told.code, told.out) == (0, f"Batch {batch}: 1 cancelled.\n")
        assert await terminal.ended() == 1
    assert (await ended(connorg, batch))["status"] == "Canceled"


async def test_a_watch_outlives_a_crash_of_the_app(frail: Connorg, tmp_path: Path) -> None:
    waiting = Partner()
    await frail.graph.fail_creates(waiting, "status", status=423)
    file = spreadsheet(tmp_path, [waiting])
    async with Terminal(file, env=environment(frail)) as terminal:
        await terminal.shows("1 waiting")
        frail.stack.kill("functions")
        await terminal.shows("No answer")
        frail.stack.restart("functions")
        await frail.graph.heal()
        assert await terminal.ended() == 0
    await eventually(lambda: frail.graph.organizations(waiting), "nothing was created")
    assert "1 succeeded (1 created)" in terminal.seen


async def test_the_documented_file_and_commands_do_what_they_say(
    connorg: Connorg, tmp_path: Path
) -> None:
    page = (ROOT / "docs/bulk-command.md").read_text()
    [example] = re.findall(r"```csv\n(.+?)```", page, re.DOTALL)
    file, new = tmp_path / "partners.csv", Partner()
    file.write_text(example.replace("contoso.com", new.domain), encoding="utf-8")
    commands = [
        shlex.split(line.replace("partners.csv", str(file)).replace("results.csv", "RESULTS"))[3:]
        for line in re.findall(r"^python -m connorg\.command .+$", page, re.MULTILINE)
    ]
    check, start, watch = (
        [str(tmp_path / "results.csv") if word == "RESULTS" else word for word in command]
        for command in commands
    )
    assert (await run(connorg, *check)).code == 0
    told = await run(connorg, *start)
    assert told.code == 0, told.err
    again = [batch_in(told.out) if word == "BATCH" else word for word in watch]
    assert (await run(connorg, *again, "--overwrite")).out == told.out


def test_the_page_tells_every_option_and_exit_code() -> None:
    page = (ROOT / "docs/bulk-command.md").read_text()
    options = (ROOT / "connorg/command/__main__.py").read_text()
    for name in [*re.findall(r'"(--[a-z-]+)"', options), "--on-invalid", "--patience"]:
        assert f"`{name}" in page or f" {name}" in page, name
    codes = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert sorted(map(int, codes)) == sorted(ExitCode)
