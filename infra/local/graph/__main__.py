"""Run the emulator: ``python -m infra.local.graph --port 0``.

``LOCAL_GRAPH_CONFIG`` is what it starts with, as ``PUT /_emulator/config`` takes it.
"""

import argparse
import asyncio
import json
import os

from infra.local.graph import create_app
from infra.local.graph.config import Config
from infra.local.serving import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.local.graph")
    parser.add_argument("--port", type=int, default=0)
    config = Config().merged(json.loads(os.environ.get("LOCAL_GRAPH_CONFIG", "{}")))
    asyncio.run(serve(create_app(config), parser.parse_args().port))


if __name__ == "__main__":
    main()
