"""How the local Functions host starts and ends, and what the worker does with an app."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from infra.local.functions_host import STOPPED_BY_STORAGE_EXIT_CODE
from infra.local.functions_host.invoker import TIMED_OUT_EXIT_CODE
from tests.contract.functions_host import Host, eventually

APP = """
import asyncio
import azure.functions as func
app = func.FunctionApp()

@app.route("fine")
def fine(req: func.HttpRequest) -> func.HttpResponse: ...
"""
BLOCKING = ("wait-in-thread", "block")
UNUSABLE = {
    "one badly annotated function leaves the app without any": (
        APP + '\n@app.route("bad")\ndef bad(req: int) -> func.HttpResponse: ...',
        "cannot load the bad function",
    ),
    "asyncio.run at module level": (
        APP + "\nasyncio.run(asyncio.sleep(0))",
        "asyncio.run() cannot be called from a running event loop",
    ),
    "a second FunctionApp": (
        APP + "\nother = func.FunctionApp()",
        "More than one FunctionApp",
    ),
    "get_functions called by the app itself": (
        APP + "\nmine = app.get_functions()\napp.get_functions()",
        "cannot be indexed",
    ),
    "no function at all": ("import azure.functions as f\napp = f.FunctionApp()", "has no function"),
    "no function_app.py": (None, "has no function"),
    "a binding that this host does not know": (
        APP
        + '\n@app.route("out")\n@app.queue_output("queue", "q", "AzureWebJobsStorage")'
        + "\ndef out(req: func.HttpRequest, queue: func.Out[str]) -> func.HttpResponse: ...",
        "binding of type 'queue'",
    ),
    "a retry policy": (
        APP
        + '\n@app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")'
        + '\n@app.queue_trigger("message", "q", "AzureWebJobsStorage")'
        + "\ndef again(message: func.QueueMessage) -> None: ...",
        "retry policy",
    ),
}


@pytest.fixture(scope="module")
def host(storage: str) -> Iterator[Host]:
    with Host(storage, {"TIMER_SCHEDULE": "* * * * * *"}) as host:
        yield host


# What cannot start


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        # Each is a process. Two show that the host asks the worker, and that it ends.
        pytest.param(*app, id=name, marks=() if number < 2 else pytest.mark.slow)
        for number, (name, app) in enumerate(UNUSABLE.items())
    ],
)
async def test_an_unusable_app_ends_the_host_with_a_sentence(
    storage: str, tmp_path: Path, source: str | None, reason: str
) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    if source is not None:
        (tmp_path / "function_app.py").write_text(source)
    host = Host(storage, app=tmp_path).start()
    assert await host.ended() == 1
    assert reason in host.log.splitlines()[-1]


async def test_a_port_that_is_taken_ends_the_host_with_a_sentence(storage: str, host: Host) -> None:
    second = Host(storage, port=host.url.rpartition(":")[2]).start()
    assert await second.ended() == 1
    assert "address already in use" in second.log.splitlines()[-1]


async def test_a_host_in_error_goes_on_and_says_so(storage: str, tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "1.0"}')
    with Host(storage, app=tmp_path) as host:
        async with aiohttp.request("GET", f"{host.url}/api/any") as response:
            assert (response.status, await response.text()) == (
                503,
                "Function host is not running.",
            )
        assert "host.json: version is '1.0'" in host.log


async def test_a_function_in_error_is_left_out_and_the_others_run(
    storage: str, tmp_path: Path
) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    queue = '@app.queue_trigger("message", "%MISSING%", "AzureWebJobsStorage")'
    faulty = f"{queue}\ndef unnamed(message: func.QueueMessage) -> None: ...\n"
    fine = '@app.route("ok", auth_level="anonymous")\ndef ok(req: func.HttpRequest) -> str:'
    source = f'{APP}\n{faulty}\n{fine} return "ok"'
    (tmp_path / "function_app.py").write_text(source)
    with Host(storage, app=tmp_path) as host:
        async with aiohttp.request("GET", f"{host.url}/api/ok") as response:
            assert await response.text() == "ok"
        assert "The 'unnamed' function is in error" in host.log


# What happens at the start


async def test_the_warm_up_runs_once_before_the_first_request_and_may_fail(host: Host) -> None:
    assert len(await host.records("warm_up")) == 1
    assert "a failing warm-up" in host.log


async def test_the_app_is_imported_in_the_running_loop_with_logging_set_up(host: Host) -> None:
    async with aiohttp.request("GET", f"{host.url}/api/where/async") as response:
        where = await response.json()
    assert where["is_in_a_loop"]
    assert where["root_level"] == "INFO"
    assert where["root_handlers"] == 1


@pytest.mark.slow
async def test_a_timer_runs_at_startup_if_it_says_so(storage: str) -> None:
    with Host(storage, {"TIMER_SCHEDULE": "0 0 0 1 1 *"}) as host:

        async def has_run() -> bool:
            return len(await host.records("tick")) == 1

        await eventually(has_run, "the timer runs")


async def test_a_timer_runs_on_its_schedule(host: Host) -> None:
    async def has_run_again() -> bool:
        return len(await host.records("tick")) >= 2

    await eventually(has_run_again, "the timer runs again")
    assert not any(run["past_due"] for run in await host.records("tick"))


# How functions run


async def test_async_functions_share_a_loop_and_sync_ones_run_in_threads(host: Host) -> None:
    in_thread = {}
    for kind in ("async", "sync"):
        async with aiohttp.request("GET", f"{host.url}/api/where/{kind}") as response:
            in_thread[kind] = not (await response.json())["is_main"]
    assert in_thread == {"async": False, "sync": True}


async def test_each_invocation_has_its_lines_in_the_log(host: Host) -> None:
    async with aiohttp.request("GET", f"{host.url}/api/where/sync") as response:
        await response.read()
    assert "INFO     host: where_sync started (" in host.log
    assert "INFO     host: where_sync succeeded (" in host.log


@pytest.mark.slow
async def test_host_json_sets_the_level_of_the_log(storage: str) -> None:
    with Host(storage, {"AzureFunctionsJobHost__logging__logLevel__default": "Error"}) as host:
        async with aiohttp.request("GET", f"{host.url}/api/text") as response:
            await response.read()
        assert "warm_up failed" in host.log
        assert "started" not in host.log


# How it ends


@pytest.mark.parametrize(
    "route", ["wait", *(pytest.param(route, marks=pytest.mark.slow) for route in BLOCKING)]
)
async def test_a_function_over_its_time_limit_ends_the_process(storage: str, route: str) -> None:
    with Host(storage, {"AzureFunctionsJobHost__functionTimeout": "00:00:01"}) as host:
        with pytest.raises(aiohttp.ClientError):
            async with aiohttp.request("GET", f"{host.url}/api/{route}"):
                pass
        assert await host.ended() == TIMED_OUT_EXIT_CODE
        assert "took longer than the functionTimeout of 1 s" in host.log


async def test_the_host_stops_without_waiting_for_functions(storage: str) -> None:
    with Host(storage) as host:

        async def is_running() -> bool:
            return "wait_in_thread started" in host.log

        async with aiohttp.ClientSession() as client:
            request = asyncio.create_task(client.get(f"{host.url}/api/wait-in-thread"))
            await eventually(is_running, "the function runs")
            assert await asyncio.to_thread(host.stop) == 0
            with pytest.raises(aiohttp.ClientError):
                await request


async def test_a_crash_ends_the_process_as_on_azure(storage: str) -> None:
    with Host(storage) as host:
        with pytest.raises(aiohttp.ClientError):
            async with aiohttp.request("GET", f"{host.url}/api/exit"):
                pass
        assert await host.ended() == 1
        assert "A function has ended the process" in host.log


async def test_one_refusal_of_storage_ends_the_host_when_what_runs_is_done(storage: str) -> None:
    """As recorded: new connections are refused at once, a request that runs is finished."""
    may_refuse = asyncio.Event()

    async def queues(_: web.BaseRequest) -> web.Response:
        return web.Response(status=403 if may_refuse.is_set() else 404)

    runner = web.ServerRunner(web.Server(queues))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"QueueEndpoint=http://127.0.0.1:{runner.addresses[0][1]}/devstoreaccount1"
    with Host(re.sub(r"QueueEndpoint=[^;]+", endpoint, storage)) as host:

        async def is_running() -> bool:
            return "wait started" in host.log

        async def is_stopping() -> bool:
            return "Host is shutting down" in host.log

        async with aiohttp.ClientSession() as client:
            request = asyncio.create_task(client.get(f"{host.url}/api/wait"))
            await eventually(is_running, "the function runs")
            async with client.get(f"{host.url}/api/text") as kept_open:
                await kept_open.read()
            may_refuse.set()
            await eventually(is_stopping, "the host is told")
            async with client.get(f"{host.url}/api/release") as released:
                assert released.status == 200, "by a connection that was open"
            async with await request as answer:
                assert await answer.text() == "waited"
        assert await host.ended() == STOPPED_BY_STORAGE_EXIT_CODE
    await runner.cleanup()
