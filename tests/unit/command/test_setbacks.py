"""`python -m connorg.command` where an app fails: a stand-in does what the real one can't do.

That the real one answers in this form is shown in tests/end_to_end/test_bulk_command.py.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.bulk_command import Ended, run, run_here

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
class App:
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
        told = await run(*arguments, env={"CONNORG_URL": self.url, "CONNORG_KEY": KEY, **env})
        assert KEY not in told.out + told.err
        return told


@asynccontextmanager
async def app(*answers: Answer) -> AsyncIterator[App]:
    standing_in = App([*answers])
    application = web.Application()
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
        told = await standing_in.run(file)
    assert told.code == 0, told.err
    first, again, poll = standing_in.calls
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"] != ""
    assert (poll.method, poll.path) == ("GET", f"/api/batches/{BATCH}")
    assert {call.headers["x-functions-key"] for call in standing_in.calls} == {KEY}
    assert "trying again in 1 s" in told.err


async def test_the_key_goes_to_no_other_app() -> None:
    async with app(done) as other:

        def redirect(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"location": f"{other.url}{request.path}"})

        async with app(redirect) as standing_in:
            told = await standing_in.run("--watch", BATCH)
    assert told.code == 3
    assert other.calls == []


@pytest.mark.parametrize(
    "url",
    [
        "http://connorg.example",
        "http://127.0.0.1.connorg.example",
        "http://127.0.0.1@connorg.example",
        "ftp://connorg.example",
        "https://",
        "connorg.example",
        "https://[connorg",
        "",
    ],
)
def test_a_key_goes_to_an_https_address_or_nowhere(url: str) -> None:
    told = run_here("--watch", BATCH, "--url", url, env={"CONNORG_KEY": KEY})
    assert told.code == 2
    assert "--url" in told.err


async def test_two_runs_are_two_batches(file: Path) -> None:
    async with app(done) as standing_in:
        for _ in range(2):
            await standing_in.run(file)
    first, second = (call.headers["idempotency-key"] for call in standing_in.calls)
    assert first != second


async def test_a_watch_outlives_lost_answers(file: Path) -> None:
    async with app(running, gone, unwell, running, done) as standing_in:
        told = await standing_in.run(file)
    assert told.code == 0, told.err
    assert told.err.count("No answer") == 2


async def test_who_loses_patience_is_told_how_to_come_back(file: Path) -> None:
    async with app(running, unwell) as standing_in:
        told = await standing_in.run(file, "--patience", "0")
        come_back = f"python -m connorg.command --watch {BATCH} --url {standing_in.url}"
    assert told.code == 3
    assert "gives no answer: HTTP 503" in told.err
    assert "The batch goes on by itself." in told.err
    assert come_back in told.err.splitlines()


async def test_the_app_says_when_to_ask_again(file: Path) -> None:
    def soon(_: web.Request) -> web.Response:
        return web.json_response(status("Running", Waiting=1), headers={"Retry-After": "1"})

    async with app(soon, done) as standing_in:
        assert (await standing_in.run(file)).code == 0
    assert len(standing_in.calls) == 2


async def test_nothing_in_an_answer_commands_the_terminal(file: Path) -> None:
    def forged(_: web.Request) -> web.Response:
        fault = {"row": 2, "column": "Do\x1b[2Jmain", "pointer": "", "detail": "\x07[bold]no\u202e"}
        problem = {"detail": "\x1b]0;title\x07", "errors": [fault]}
        return web.json_response(problem, status=422)

    async with app(forged) as standing_in:
        told = await standing_in.run(file)
    assert told.code == 2
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
        told = await standing_in.run(
            file,
            "--scope",
            "api://app/.default",
            IDENTITY_ENDPOINT=f"{standing_in.url}/msi/token",
            IDENTITY_HEADER="x",
            AZURE_TOKEN_CREDENTIALS="ManagedIdentityCredential",
        )
    assert told.code == 0, told.err
    [call] = [call for call in standing_in.calls if call.path != "/msi/token"]
    assert call.headers["authorization"] == "Bearer the-token"
    assert "x-functions-key" not in call.headers
    assert "the-token" not in told.out + told.err


async def test_who_can_not_be_signed_in_is_told_so(file: Path) -> None:
    async with app(unwell) as standing_in:
        told = await standing_in.run(
            file, "--scope", "api://app/.default", AZURE_TOKEN_CREDENTIALS="EnvironmentCredential"
        )
    assert told.code == 3
    assert "You could not be signed in" in told.err
    assert standing_in.calls == []
