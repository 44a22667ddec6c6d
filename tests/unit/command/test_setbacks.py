"""`connorg` where an app fails: a stand-in does what the real one can't do.

That the real one answers in this form is shown in tests/end_to_end/test_command.py.
"""

import _thread
import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connorg.command import watching
from connorg.command.client import LARGEST_FILE, App
from infra.local.child import ROOT
from tests.command import Ended, run, run_here
from tests.unit.command.recorded import Answer as Told
from tests.unit.command.recorded import Recorded, StandIn

BATCH = "batch-0123456789abcdef"
ZEROS = dict.fromkeys(("NotStarted", "Waiting", "Succeeded", "Failed", "Canceled", "Invalid"), 0)
KEY = "a-function-key-that-nobody-may-see"

type Answer = Callable[[web.Request], web.Response]


def status(name: str, **counts: int) -> dict[str, Any]:
    return {
        "id": BATCH,
        "status": name,
        "rows": sum(counts.values()),
        "counts": {**ZEROS, **counts},
        "conclusions": {},
        "perSecond": None,
        "secondsLeft": None,
        "firstErrors": [],
        "ignoredColumns": [],
    }


def running(_: web.Request) -> web.Response:
    return web.json_response(status("Running", Waiting=1), status=202)


def done(_: web.Request) -> web.Response:
    return web.json_response(status("Succeeded", Succeeded=1))


def unwell(_: web.Request) -> web.Response:
    return web.Response(status=503, text="<html>the host's own page</html>")


def gone(request: web.Request) -> web.Response:
    """Lose the connection in the place of an answer."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@dataclass
class Server:
    answers: list[Answer]
    """One after the other; the last again and again."""
    url: str = ""
    calls: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.calls.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)

    async def run(self, *arguments: object, **env: str) -> Ended:
        known = {"CONNORG_URL": self.url, "CONNORG_KEY": KEY, **env}
        told = await asyncio.to_thread(run_here, *arguments, env=known)
        assert KEY not in told.out + told.err
        return told


@asynccontextmanager
async def app(*answers: Answer) -> AsyncIterator[Server]:
    standing_in = Server([*answers])
    application = web.Application(client_max_size=LARGEST_FILE * 2)
    application.router.add_route("*", "/{path:.*}", standing_in.answer)
    async with TestServer(application) as server:
        standing_in.url = str(server.make_url("")).rstrip("/")
        yield standing_in


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "partners.csv"
    path.write_text("Domain,Name\na.example,A\n")
    return path


@pytest.mark.parametrize("setback", [gone, unwell])
async def test_a_file_whose_answer_is_lost_is_sent_again_as_the_same(
    file: Path, setback: Answer
) -> None:
    async with app(setback, running, done) as standing_in:
        told = await standing_in.run("submit", file)
    assert told.code == 0, told.err
    first, again, poll = standing_in.calls
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"] != ""
    assert (poll.method, poll.path) == ("GET", f"/api/batches/{BATCH}")
    assert {call.headers["x-functions-key"] for call in standing_in.calls} == {KEY}
    assert "Trying again in 1 s." in told.err


async def test_the_key_goes_to_no_other_app() -> None:
    async with app(done) as other:

        def redirect(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"location": f"{other.url}{request.path}"})

        async with app(redirect) as standing_in:
            told = await standing_in.run("watch", BATCH)
    assert told.code == 1
    assert "redirects to" in told.err
    assert other.calls == []


async def test_two_runs_are_two_batches(file: Path) -> None:
    async with app(done) as standing_in:
        for _ in range(2):
            await standing_in.run("submit", file)
    first, second = (call.headers["idempotency-key"] for call in standing_in.calls)
    assert first != second


async def test_a_watch_outlives_lost_answers(file: Path) -> None:
    async with app(running, gone, unwell, running, done) as standing_in:
        told = await standing_in.run("submit", file)
    assert told.code == 0, told.err
    assert told.err.count("Trying again") == 2


async def test_who_loses_patience_is_told_how_to_come_back(file: Path) -> None:
    async with app(running, unwell) as standing_in:
        env = {"CONNORG_URL": standing_in.url, "CONNORG_KEY": KEY}
        told = await run("submit", file, "--patience", "0", env=env)
        come_back = f"{sys.executable} -m connorg.command watch {BATCH} --url {standing_in.url}"
    assert told.code == 3
    assert "The app's host is starting, stopping or in error." in told.err
    assert "The batch continues without this command." in told.err
    assert come_back in told.err.splitlines()


async def test_the_app_says_when_to_ask_again(file: Path) -> None:
    def soon(_: web.Request) -> web.Response:
        return web.json_response(status("Running", Waiting=1), headers={"Retry-After": "1"})

    async with app(soon, done) as standing_in:
        assert (await standing_in.run("submit", file)).code == 0
    assert len(standing_in.calls) == 2


async def test_nothing_in_an_answer_commands_the_terminal(file: Path) -> None:
    def forged(_: web.Request) -> web.Response:
        fault = {"row": 2, "column": "Do\x1b[2Jmain", "pointer": "", "detail": "\x07[bold]no\u202e"}
        problem = {"detail": "\x1b]0;title\x07", "errors": [fault]}
        return web.json_response(problem, status=422)

    async with app(forged) as standing_in:
        told = await standing_in.run("submit", file)
    assert told.code == 1
    assert not {"\x1b", "\x07", "\u202e"} & {*told.out, *told.err}
    assert "[bold]no" in told.out


async def test_a_signed_in_caller_sends_a_token_and_no_key(file: Path) -> None:
    """By the environment of a managed identity, through the credential that people use too."""

    def answer(request: web.Request) -> web.Response:
        if request.path == "/msi/token":
            assert request.query["resource"] == "api://app"
            return web.json_response(
                {"access_token": "the-token", "expires_on": "4102444800", "token_type": "Bearer"}
            )
        return done(request)

    async with app(answer) as standing_in:
        told = await run(
            *("submit", file, "--scope", "api://app/.default"),
            env={
                "CONNORG_URL": standing_in.url,
                "IDENTITY_ENDPOINT": f"{standing_in.url}/msi/token",
                "IDENTITY_HEADER": "x",
                "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            },
        )
    assert told.code == 0, told.err
    [call] = [call for call in standing_in.calls if call.path != "/msi/token"]
    assert call.headers["authorization"] == "Bearer the-token"
    assert "x-functions-key" not in call.headers
    assert "the-token" not in told.out + told.err


def test_who_can_not_be_signed_in_is_told_so() -> None:
    env = {
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
        "CONNORG_SCOPE": "api://app/.default",
    }
    told = run_here("status", "--url", "https://connorg.example", env=env)
    assert told.code == 1
    assert "You could not be signed in" in told.err


# What the app and its host say


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    with StandIn(Recorded([])) as standing_in:
        yield standing_in


def answered(stand_in: StandIn, status: int, headers: dict[str, str], body: str = "") -> None:
    """Let every call have one answer."""
    stand_in.always = Told("", status, headers, body)


def run_against(stand_in: StandIn, *words: object) -> Ended:
    env = {"CONNORG_URL": stand_in.url, "CONNORG_KEY": KEY}
    told = run_here(*words, "--patience", "0", env=env)
    assert KEY not in told.seen
    return told


def test_what_the_app_says_of_itself_is_shown(stand_in: StandIn) -> None:
    problem = {
        "detail": "The app may not list organizations.",
        "action": "Grant EntitlementManagement.ReadWrite.All.",
        "code": "GraphUnavailable",
    }
    answered(stand_in, 503, {"retry-after": "300"}, json.dumps(problem))
    told = run_against(stand_in, "export")
    assert told.code == 3
    assert told.err.splitlines() == [problem["detail"], problem["action"]]
    error = json.loads(run_against(stand_in, "export", "--json").out)["error"]
    assert error == {**problem, "exitCode": 3}


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (401, 1, "The app does not know the key"),
        (403, 1, "The app denies this caller access."),
        (404, 1, "There is no connorg at this address."),
        (418, 1, "answers HTTP 418."),
        (429, 3, "more calls than it accepts at once"),
        (500, 3, "ended the call and gave no reason"),
        (502, 3, "is starting, stopping or in error"),
        (503, 3, "is starting, stopping or in error"),
        (504, 3, "is starting, stopping or in error"),
    ],
)
def test_what_the_host_answers_by_itself_has_a_sentence_and_an_advice(
    stand_in: StandIn, status: int, code: int, sentence: str
) -> None:
    for body in ("", "<html>Function host is not running.</html>", '"a text"'):
        answered(stand_in, status, {}, body)
        told = run_against(stand_in, "status")
        assert (told.code, told.out) == (code, "")
        said, advice = told.err.splitlines()
        assert sentence in said
        assert f"HTTP {status}" in said
        assert advice


def test_health_of_a_host_without_the_app_is_no_health(stand_in: StandIn) -> None:
    answered(stand_in, 503, {}, "Function host is not running.")
    told = run_against(stand_in, "health")
    assert (told.code, told.out) == (3, "")
    assert "is starting, stopping or in error" in told.err


def test_a_wrong_setting_of_the_app_is_not_waited_for(stand_in: StandIn) -> None:
    problem = {
        "detail": "CONNORG_CLOUD names no cloud.",
        "action": "Correct it.",
        "code": "Misconfigured",
    }
    answered(stand_in, 500, {}, json.dumps(problem))
    told = run_here("status", env={"CONNORG_URL": stand_in.url, "CONNORG_KEY": KEY})
    assert told.code == 1
    assert told.err.splitlines() == [problem["detail"], problem["action"]]


@pytest.mark.parametrize(("command", "status"), [("check", 500), ("submit", 500), ("submit", 413)])
def test_a_file_that_the_host_does_not_take_is_to_be_split(
    stand_in: StandIn, tmp_path: Path, command: str, status: int
) -> None:
    file = tmp_path / "large.csv"
    file.write_bytes(b"Domain\n" + b"x" * LARGEST_FILE)
    answered(stand_in, status, {})
    told = run_here(command, file, env={"CONNORG_URL": stand_in.url, "CONNORG_KEY": KEY})
    assert told.code == 1, "nobody waits for it"
    assert "4,000,007 bytes" in told.err
    assert "Split it" in told.err
    assert "the queue" in told.err


def test_who_is_no_connorg_is_told_apart(stand_in: StandIn) -> None:
    answered(stand_in, 200, {}, "<html>Welcome</html>")
    told = run_against(stand_in, "status")
    assert told.code == 1
    assert "not connorg" in told.err


def test_an_app_that_can_not_be_reached_is_said_at_once() -> None:
    told = run_here("status", "--url", "http://127.0.0.1:1", env={"CONNORG_KEY": KEY})
    assert told.code == 3
    assert "can't be reached" in told.err


def test_a_fault_that_has_no_column_is_told_without_one(stand_in: StandIn, file: Path) -> None:
    row = {"row": 2, "name": "a.example", "prospect": "invalid"}
    faults = [{"detail": "Too long."}, {"detail": "Wrong.", "pointer": "/state", "column": None}]
    forecast = {"counts": {"invalid": 1}, "rows": [{**row, "errors": faults}]}
    answered(stand_in, 200, {}, json.dumps(forecast))
    told = run_against(stand_in, "check", file)
    assert [line.split("\t")[3] for line in told.out.splitlines()[:2]] == [
        "Too long.",
        "/state: Wrong.",
    ]


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("list", ["Nothing was changed."]),
        ("submit FILE", ["The batch may have begun or not."]),
        ("watch batch-0", ["Nothing was changed."]),
        ("retry a b", ["0 of 2 are retried, and more may be.", "connorg status --url"]),
        ("cancel batch-0", ["Rows may be canceled or not.", "connorg results batch-0"]),
        ("forget --domain a.example --yes", ["It may be erased or not."]),
    ],
)
def test_who_interrupts_is_told_what_goes_on_without_it(
    stand_in: StandIn, file: Path, line: str, sentences: list[str]
) -> None:
    def interrupt(_path: str, _headers: dict[str, str]) -> Told:
        _thread.interrupt_main()
        return Told("", 200, {}, "{}")

    stand_in.always = interrupt
    # In the background of a shell there is none.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        told = run_against(stand_in, *(file if word == "FILE" else word for word in line.split()))
    finally:
        signal.signal(signal.SIGINT, before)
    assert told.code == 130
    assert told.err.startswith("Interrupted.\n")
    for sentence in sentences:
        assert sentence in told.err


async def test_a_pipe_gets_utf_8_whatever_the_machine_writes_otherwise() -> None:
    name = "Łódź 北京"
    there = {"id": "0", "status": "Succeeded", "request": {"displayName": name}, "attempts": 1}
    there |= {"createdDateTime": "2026-11-02T09:30:00Z"}
    with StandIn(Recorded([])) as standing_in:
        answered(standing_in, 200, {}, json.dumps(there))
        env = {"CONNORG_URL": standing_in.url, "CONNORG_KEY": KEY, "PYTHONIOENCODING": "cp1252"}
        for option in ([], ["--json"]):
            told = await run("show", "0", *option, env=env)
            assert told.code == 0, told.err
            assert name in told.out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_an_output_that_is_full_is_no_stack_trace(stand_in: StandIn) -> None:
    answered(stand_in, 200, {}, json.dumps({"value": []}))
    env = {**os.environ, "CONNORG_URL": stand_in.url, "CONNORG_KEY": KEY}
    command = [sys.executable, "-m", "connorg.command", "list", "--json"]
    with Path("/dev/full").open("wb") as full:
        told = subprocess.run(
            command, cwd=ROOT, env=env, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert told.returncode == 1
    assert told.stderr == "It could not be done: [Errno 28] No space left on device.\n"


# The bar


IN_HAND = "Rows are being tried, or wait for the lease of a process that ended: up to ten minutes."


class Quiet:
    """A batch in which nothing happens, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.changes = watching.Changes(lambda: self.now)

    def after(self, seconds: float, app: App, status: dict[str, Any]) -> watching.Quiet | None:
        self.now += seconds
        return self.changes.missed(app, status)


@pytest.mark.parametrize(
    ("counts", "summary", "why"),
    [
        (
            {"Waiting": 3},
            {"byCode": [{"code": "GraphBusy", "count": 3}], "gate": {"open": True}},
            "Rows wait for their next try: GraphBusy (3).",
        ),
        (
            {"Waiting": 3},
            {"byCode": [], "gate": {"open": False, "reason": "Microsoft Graph asked for silence."}},
            "Microsoft Graph asked for silence.",
        ),
        (
            {"NotStarted": 3},
            {"byCode": [], "gate": {"open": True}},
            IN_HAND,
        ),
    ],
)
def test_where_nothing_changes_it_is_said_for_how_long_and_why(
    stand_in: StandIn, counts: dict[str, int], summary: dict[str, Any], why: str
) -> None:
    answered(stand_in, 200, {}, json.dumps(summary))
    app, still = App(stand_in.url, None, 0, print), status("Running", Succeeded=1, **counts)
    foreseen = {**still, "perSecond": 40.0, "secondsLeft": 4}
    quiet = Quiet()
    assert quiet.after(0, app, foreseen) is None
    assert quiet.after(9, app, foreseen) is None
    missed = quiet.after(63, app, foreseen)
    assert missed == watching.Quiet(72, why)
    assert watching.pace(foreseen, missed) == "no change for 1:12"
    assert watching.pace(foreseen, None) == "40.0/s, 0:04 left"
    moved = status("Running", Succeeded=2, **counts)
    assert quiet.after(1, app, moved) is None
