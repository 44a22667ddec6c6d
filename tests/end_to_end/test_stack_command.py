"""`python -m infra.local up`: what tests of every kind, the demo and people rely on."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from azure.data.tables import TableServiceClient

from infra.local import azurite
from infra.local.child import LOOPBACK, ROOT, tethered
from infra.local.command import main
from tests.contract.functions_host import SAMPLE_APP
from tests.stack import (
    END_SECONDS,
    Stack,
    blob_port,
    is_running,
    port_of,
    start_command,
    wait_until,
)

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="looks into /proc, or needs a kernel that ends orphans"
)
EVERYTHING = {"functions", "graph", "identity", "storage"}


def test_the_whole_stack_answers_where_it_says(stack: Stack) -> None:
    assert stack.pids.keys() == EVERYTHING
    assert all(map(is_running, stack.pids.values()))
    assert all(map(answers, (stack.functions, stack.graph, stack.identity)))
    assert table_names(stack.storage) is not None


def test_the_command_tells_addresses_the_key_and_a_line_to_paste(stack: Stack) -> None:
    for fact in (stack.functions, stack.graph, stack.identity, stack.storage, stack.key):
        assert fact in stack.log
    assert f"console    {stack.console}\n" in stack.log
    assert f'curl -i "{stack.functions}/api/connected-organizations"' in stack.log


@pytest.fixture(scope="module")
def tried() -> Iterator[Stack]:
    with Stack(settings={"CONNORG_TRIED": "a=b", "IDENTITY_HEADER": "another"}) as stack:
        yield stack


@pytest.mark.slow
@linux_only
def test_the_functions_know_the_other_parts_and_the_settings(tried: Stack) -> None:
    environment = environment_of(tried.pids["functions"])
    assert environment["CONNORG_GRAPH_ROOT"] == tried.graph
    assert environment["AzureWebJobsStorage"] == tried.storage
    assert environment["IDENTITY_ENDPOINT"] == f"{tried.identity}/msi/token"
    assert environment["FUNCTIONS_WORKER_RUNTIME"] == "python"
    assert environment["CONNORG_TRIED"] == "a=b"
    assert environment["IDENTITY_HEADER"] == "another", "a setting has the last word"


@pytest.mark.slow
@linux_only
def test_a_killed_functions_process_comes_back_on_its_port_and_finds_the_others(
    tried: Stack,
) -> None:
    before = (tried.functions, tried.graph, tried.identity, tried.storage)
    killed = tried.pids["functions"]
    tried.kill("functions")
    tried.restart("functions")
    assert tried.pids["functions"] != killed
    assert (tried.functions, tried.graph, tried.identity, tried.storage) == before
    assert answers(tried.functions)
    assert environment_of(tried.pids["functions"])["CONNORG_GRAPH_ROOT"] == tried.graph


class Refusing(BaseHTTPRequestHandler):
    """A queue service that refuses its first call, and then has no queue."""

    statuses: ClassVar = iter([403])

    def do_GET(self) -> None:
        self.send_response(next(self.statuses, 404))
        self.send_header("Content-Length", "0")
        self.end_headers()


@linux_only
def test_functions_that_storage_has_refused_are_started_again_on_their_port() -> None:
    port = azurite.free_port()
    with ThreadingHTTPServer((LOOPBACK, port + 1), Refusing) as queues:
        threading.Thread(target=queues.serve_forever, daemon=True).start()
        ports = {"storage": port, "graph": 1, "identity": 1}
        settings = {"WORK_QUEUE": "work", "TIMER_SCHEDULE": "0 0 0 1 1 *"}
        with Stack(only=["functions"], settings=settings, ports=ports, app=SAMPLE_APP) as stack:
            wait_until(lambda: "has been started again" in stack.log, "it is not started again")
            assert "functions has ended by itself (exit code 75)" in stack.log
            assert answers(stack.functions)
            stack.kill("functions")
            wait_until(lambda: "(SIGKILL)" in stack.log, "its end is not told")
            assert stack.log.count("has been started again") == 1
        queues.shutdown()


def test_only_what_is_named_is_started_and_when_one_dies_the_others_go_on() -> None:
    with Stack(only=["graph", "identity"]) as stack:
        assert stack.pids.keys() == {"graph", "identity"}
        with pytest.raises(KeyError):
            _ = stack.storage
        stack.kill("graph")
        wait_until(lambda: "graph has ended by itself" in stack.log, "nobody says so")
        assert answers(stack.identity)


@pytest.mark.slow
def test_the_functions_run_with_the_settings_that_core_tools_is_given(tmp_path: Path) -> None:
    """Core Tools can't be had here: our front of the host starts in its place."""
    file, port = tmp_path / "local.settings.json", azurite.free_port()
    parts = ("--only=graph", "--only=identity", "--only=storage")
    processes = [start_command(*parts, f"--local-settings={file}")]
    try:
        wait_until(file.exists, "nothing is written")
        settings = json.loads(file.read_text())
        assert settings["IsEncrypted"] is False
        assert all(isinstance(value, str) for value in settings["Values"].values())
        host = [sys.executable, "-m", "infra.local.functions_host", "--port", str(port)]
        environment = {"PATH": os.environ["PATH"], **settings["Values"]}
        command = tethered([*host, "--app", str(ROOT)])
        processes.append(subprocess.Popen(command, cwd=ROOT, env=environment))
        wait_until(lambda: is_healthy(f"http://{LOOPBACK}:{port}"), "it is not healthy")
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(END_SECONDS)


def is_healthy(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api/health", timeout=60).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.slow
def test_a_given_port_is_taken_and_tells_where_a_part_is_that_is_not_started() -> None:
    identity_port, graph_port = azurite.free_port(), azurite.free_port()
    with Stack(only=["identity"], ports={"identity": identity_port, "graph": graph_port}) as stack:
        assert port_of(stack.identity) == identity_port
        assert answers(stack.identity)
        assert port_of(stack.graph) == graph_port
        assert not answers(stack.graph)


@pytest.mark.slow
def test_storage_takes_three_ports_in_a_row() -> None:
    port = azurite.free_port()
    with Stack(only=["storage"], ports={"storage": port}) as stack:
        assert blob_port(stack.storage) == port
        assert all(answers(f"http://{LOOPBACK}:{port + service}") for service in range(3))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--only=functions"], "the functions need --graph-port, --identity-port, --storage-port"),
        (["--only=functions", "--only=storage", "--graph-port=1"], "need --identity-port,"),
        (["--only=storage", "--local-settings=x"], "need --graph-port, --identity-port"),
        (["--only=everything"], "invalid choice: 'everything'"),
        (["--setting=COLOUR"], "'COLOUR' is not KEY=VALUE"),
        (["--setting==blue"], "'=blue' is not KEY=VALUE"),
        (["--graph-port=65536"], "'65536' is not a port"),
        (["--graph-port=http"], "'http' is not a port"),
    ],
)
def test_bad_arguments_are_refused_by_name(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["up", *arguments])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_taken_port_ends_everything_and_is_named() -> None:
    graph_port = azurite.free_port()
    with taken_port() as taken:
        code, said = outcome(
            *("--only=graph", f"--graph-port={graph_port}"),
            *("--only=identity", f"--identity-port={taken}"),
        )
    assert code == 1
    assert "identity did not start" in said
    assert "give another --identity-port, or 0 for any free one" in said
    assert not answers(f"http://{LOOPBACK}:{graph_port}")


@pytest.mark.slow
def test_functions_that_cannot_start_end_the_parts_that_could() -> None:
    graph_port = azurite.free_port()
    with taken_port() as taken:
        code, said = outcome(f"--functions-port={taken}", f"--graph-port={graph_port}")
    assert code == 1
    assert "functions did not start" in said
    assert not answers(f"http://{LOOPBACK}:{graph_port}")


@pytest.mark.slow
def test_a_taken_port_of_storage_is_named_too() -> None:
    with taken_port() as taken:  # the one of the table service
        code, said = outcome("--only=storage", f"--storage-port={taken - 2}")
    assert code == 1
    assert "storage did not start" in said
    assert "give another --storage-port" in said


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGINT]
)
def test_a_signal_ends_everything(number: signal.Signals, tmp_path: Path) -> None:
    command, pids = started("--only=identity", "--only=graph", folder=tmp_path)
    command.send_signal(number)
    assert command.wait(END_SECONDS) == 0
    assert not any(map(is_running, pids))


@pytest.mark.slow
@linux_only
def test_a_signal_during_the_start_ends_everything(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    port = azurite.free_port()
    command = start_command("--only=storage", f"--storage-port={port}", f"--ready={ready}")
    wait_until(lambda: bool(children(command.pid)), "storage is not being started")
    [storage] = children(command.pid)
    command.terminate()
    assert command.wait(END_SECONDS) == 0
    assert not is_running(storage)


@pytest.mark.slow
@linux_only
def test_even_sigkill_leaves_no_process_behind(tmp_path: Path) -> None:
    command, pids = started("--only=identity", "--only=storage", folder=tmp_path)
    command.kill()
    command.wait(END_SECONDS)
    wait_until(lambda: not any(map(is_running, pids)), "somebody is left")


@pytest.mark.slow
def test_data_outlives_storage_when_it_has_a_folder(tmp_path: Path) -> None:
    with Stack(only=["storage"], data=tmp_path / "data") as stack:
        port = blob_port(stack.storage)
        with TableServiceClient.from_connection_string(stack.storage) as tables:
            tables.create_table("kept")
    with Stack(only=["storage"], data=tmp_path / "data", ports={"storage": port}) as stack:
        assert table_names(stack.storage) == ["kept"]


def outcome(*arguments: str) -> tuple[int, str]:
    """Exit code and words of a command that is to end by itself."""
    command = start_command(*arguments, output=subprocess.PIPE)
    said, _ = command.communicate(timeout=END_SECONDS)
    return command.returncode, said.decode()


def started(*arguments: str, folder: Path) -> tuple[subprocess.Popen[bytes], list[int]]:
    ready = folder / "ready.json"
    command = start_command(*arguments, f"--ready={ready}")
    wait_until(lambda: ready.exists() or command.poll() is not None, "it is not ready")
    return command, list(json.loads(ready.read_text())["pids"].values())


def table_names(connection_string: str) -> list[str]:
    with TableServiceClient.from_connection_string(connection_string) as tables:
        return [table.name for table in tables.list_tables()]


def answers(url: str) -> bool:
    try:
        socket.create_connection((LOOPBACK, port_of(url))).close()
    except ConnectionRefusedError:
        return False
    return True


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def environment_of(pid: int) -> dict[str, str]:
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(variable.split("=", 1) for variable in variables if variable)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
