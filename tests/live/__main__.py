"""Run the live suite in a real tenant: ``CONNORG_LIVE=global python -m tests.live``."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.live.live import Live
from tests.live.place import DOMAINS, NAMES, NotExplicitError, live_place, root_of

CLEAN = "--clean"
PLAN = f"""In the tenant that you are signed in to at {{root}} this makes some forty connected
organizations, one after the other, and deletes each: their names begin with {NAMES!r}, their
domains end in {DOMAINS!r}; and one for each tenant that is named: {{tenants}}.
Where they should be left behind: make live ARGS={CLEAN}"""


async def clean() -> None:
    """Delete what earlier runs left behind, and say what that was."""
    async with live_place(os.environ) as place, Live.at(place, "v1.0") as live:
        for name in await live.sweep(NAMES):
            print(f"deleted {name}")  # noqa: T201


def main(arguments: list[str]) -> int:
    try:
        root = root_of(os.environ)
    except NotExplicitError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    if CLEAN in arguments:
        asyncio.run(clean())
        return 0
    named = [os.environ.get(name) for name in ("CONNORG_LIVE_TENANT", "CONNORG_HOME_TENANT")]
    tenants = ", ".join(filter(None, named)) or "none"
    print(PLAN.format(root=root, tenants=tenants), flush=True)  # noqa: T201
    return int(pytest.main([str(Path(__file__).parent), "--verbose", *arguments]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
