"""The parts of a cold start, one after the other, in a fresh process.

python -m tests.benchmarks.stages FOLDER: the app there. Prints one line of JSON: for each part
milliseconds, and how many of them were CPU time.
"""

import asyncio
import importlib
import json
import sys
import time
from types import ModuleType
from typing import Any

# httpx imports these for its command line where it finds them. A deployed app has none of them.
sys.modules.update(dict.fromkeys(("click", "rich", "pygments")))  # type: ignore[arg-type]


class Stages:
    def __init__(self) -> None:
        self.found: dict[str, dict[str, float]] = {}
        self._at = time.perf_counter(), time.process_time()

    def note(self, name: str) -> None:
        now = time.perf_counter(), time.process_time()
        wall, cpu = (1000 * (end - start) for end, start in zip(now, self._at, strict=True))
        self.found[name] = {"ms": wall, "cpu_ms": cpu}
        self._at = time.perf_counter(), time.process_time()


async def _run(folder: str) -> dict[str, Any]:
    stages = Stages()
    importlib.import_module("azure_functions_runtime")
    importlib.import_module("aiohttp.web")
    functions = importlib.import_module("azure.functions")
    stages.note("the worker's own imports")
    sys.path.insert(0, folder)
    app = importlib.import_module("function_app")
    stages.note("the app's imports")
    if hasattr(app, "client"):  # the obvious function has made it while it was imported
        token = app.credential.get_token(f"{app.root}/.default")
    else:
        wiring = importlib.import_module("connorg.wiring")
        wiring.services()
        token = wiring.token_for_graph()
    stages.note("clients, and what they import")
    await token
    stages.note("token")
    # Imported here: the body's module imports what the app must pay for itself.
    from tests.benchmarks.host import body  # noqa: PLC0415

    stages.note("")
    create = _function(app)
    answer = await create(_request(functions, body(0, f"stages-{time.time_ns()}")))
    assert answer.status_code == 201, answer.get_body()
    stages.note("first create")
    return {name: figures for name, figures in stages.found.items() if name}


def _function(app: ModuleType) -> Any:
    """The function behind POST connected-organizations, as the worker finds it."""
    for function in app.app.get_functions():
        trigger = function.get_trigger()
        if getattr(trigger, "route", "") == "connected-organizations" and "POST" in [
            str(getattr(method, "value", method)).upper() for method in trigger.methods
        ]:
            return function.get_user_function()
    raise LookupError("the app has no POST connected-organizations")


def _request(functions: Any, organization: dict[str, Any]) -> Any:
    return functions.HttpRequest(
        method="POST",
        url="http://127.0.0.1/api/connected-organizations",
        headers={"content-type": "application/json"},
        body=json.dumps(organization).encode(),
    )


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_run(sys.argv[1]))))  # noqa: T201
