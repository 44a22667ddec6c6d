"""An exception that nobody expected: it is told what it was and where, and nothing of its text."""

import asyncio
import gc
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import product
from typing import Any

import azure.functions as func
import pytest

import function_app
from connorg import wiring
from connorg.functions.http.route import Route
from connorg.functions.timers.observe import observe
from connorg.functions.unattended import unattended
from connorg.settings import ConfigurationError
from connorg.telemetry.unexpected import UnexpectedError
from infra.local.azurite import connection_string
from tests.cases import each
from tests.unit.functions.registered import FUNCTIONS, HTTP_FUNCTIONS, registered
from tests.unit.once_per_process import made_anew

SECRET = "hunter2"
UNATTENDED: dict[str, Callable[[Any], Awaitable[None]]] = {
    **{name: one.call for name, one in FUNCTIONS.items() if name not in HTTP_FUNCTIONS},
    "Observe": observe,  # registered where telemetry is exported
}


def plain() -> None:
    raise RuntimeError(SECRET)


def caused() -> None:
    try:
        plain()
    except RuntimeError as error:
        raise ValueError(f"it says {error}") from error


def on_the_way() -> None:
    try:
        plain()
    finally:
        raise KeyError(SECRET)


def several() -> None:
    raise ExceptionGroup(SECRET, [RuntimeError(SECRET)])


def noted() -> None:
    error = OSError(5, SECRET, SECRET)
    error.add_note(SECRET)
    raise error


FAILURES = (plain, caused, on_the_way, several, noted)


async def test_no_answer_and_no_line_of_the_log_has_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for case in each(product(FAILURES, function_app.routes)):
        with case as (fail, route):
            caplog.clear()
            answer = await answer_of(route, fail)
            assert answer.status_code == 500
            assert b'"InternalError"' in answer.get_body()
            assert SECRET not in f"{answer.get_body()!r}{dict(answer.headers)}{caplog.text}"
            assert fail.__name__ in caplog.text, "where it came about"
            assert "UnexpectedError: builtins." in caplog.text, "and what it was"


async def answer_of(route: Route, fail: Callable[[], None]) -> func.HttpResponse:
    async def handler(_: func.HttpRequest) -> func.HttpResponse:
        fail()
        raise AssertionError

    [function] = registered([route], handler).values()
    request = func.HttpRequest(route.method, "http://127.0.0.1/api/x", body=b"")
    answer: func.HttpResponse = await function.call(request)
    return answer


@pytest.mark.parametrize("fail", FAILURES)
async def test_the_host_learns_the_kind_and_the_place(fail: Callable[[], None]) -> None:
    @unattended
    async def function() -> None:
        fail()

    with pytest.raises(UnexpectedError) as raised:
        await function()
    told = "".join(traceback.format_exception(raised.value))
    assert SECRET not in told
    assert fail.__name__ in told
    assert raised.value.types[0].rpartition(".")[2] in told


async def test_a_wrong_setting_is_told_to_the_host_in_words() -> None:
    @unattended
    async def function() -> None:
        raise ConfigurationError("CONNORG_CLOUD is wrong")

    with pytest.raises(ConfigurationError, match="CONNORG_CLOUD is wrong"):
        await function()


class Broken(func.QueueMessage):
    def get_body(self) -> bytes:
        raise RuntimeError(SECRET)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An app whose storage clients can't be made, for a reason that nobody expected."""
    monkeypatch.setenv("AzureWebJobsStorage", SECRET)
    monkeypatch.setenv("CONNORG_CREDENTIAL", "azure_cli")
    monkeypatch.setenv("PATH", "")  # no CLI there: no token, and nobody is asked for one
    with made_anew():
        yield


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("function", UNATTENDED.values(), ids=UNATTENDED)
async def test_every_function_that_nobody_waits_for_keeps_it_to_itself(
    function: Callable[[Any], Awaitable[None]], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(UnexpectedError) as raised:
        await function(Broken())
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert SECRET not in caplog.text


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize(
    "body", [SECRET, f'{{"displayName": "{SECRET}"}}', f'{{"onboardingId": "{SECRET}"}}']
)
async def test_a_message_that_can_t_be_understood_is_not_logged(
    body: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="connorg")
    for function in UNATTENDED.values():
        with suppress(UnexpectedError):  # it is kept, or would be if there were storage
            await function(func.QueueMessage(id="1", body=body))
    assert "could not be understood" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.usefixtures("broken")
async def test_a_broken_app_tells_nothing_of_what_it_was_set_to(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="connorg")
    for case in each(function_app.routes):
        with case as route, made_anew():
            caplog.clear()
            request = func.HttpRequest(route.method, "http://127.0.0.1/api/x", body=b"{}")
            answer = await HTTP_FUNCTIONS[route.name].call(request)
            assert SECRET not in f"{answer.get_body()!r}{dict(answer.headers)}{caplog.text}"


async def test_what_breaks_the_token_that_is_fetched_meanwhile_is_not_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for it: what it raised, asyncio would log."""
    monkeypatch.setenv("AzureWebJobsStorage", connection_string(1))
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://[")
    monkeypatch.setenv("IDENTITY_HEADER", SECRET)
    before = asyncio.all_tasks()
    with made_anew():
        wiring.services()
        await asyncio.wait(asyncio.all_tasks() - before)
    gc.collect()
    assert "asyncio" not in {record.name for record in caplog.records}
