"""What is not known of Graph's lists: each way that it may be, as `PUT /_emulator/config` takes it.

`python -m tests.dialects` runs the end-to-end tests in each dialect, one after the other. What
follows `--` goes to pytest.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

DIALECTS: Mapping[str, dict[str, Any]] = {
    "filters without regard to case": {"filters": "ignore_case"},
    "$top as a limit": {"top": "limit", "pageSize": 1},
    "unique display names": {"uniqueDisplayNames": True},
    "an empty page before each": {"emptyPages": True},
    "filters without effect": {"filters": "ignored"},
    "filters refused": {"filters": "refused"},
    "filters that find nothing": {"filters": "empty"},
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.dialects")
    parser.add_argument("--dialect", choices=DIALECTS, action="append", help="each, by default")
    parser.add_argument("pytest", nargs="*", default=["tests/end_to_end", "-m", "not slow"])
    arguments = parser.parse_args()
    failed = [one for one in arguments.dialect or DIALECTS if not _passes(one, arguments.pytest)]
    _say(f"failed in: {', '.join(failed)}" if failed else "passed in each dialect")
    return 1 if failed else 0


def _passes(dialect: str, selection: list[str]) -> bool:
    config = json.dumps(DIALECTS[dialect])
    _say(f"{dialect}: {config}")
    command = [sys.executable, "-m", "pytest", "--quiet", "--numprocesses=2", "--dist=loadgroup"]
    environment = {**os.environ, "LOCAL_GRAPH_CONFIG": config}
    return subprocess.run([*command, *selection], env=environment, check=False).returncode == 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  what the command is for


if __name__ == "__main__":
    sys.exit(main())
