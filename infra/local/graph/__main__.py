"""Run the emulator: ``python -m infra.local.graph --port 0``."""

import argparse
import asyncio

from infra.local.graph import create_app
from infra.local.serving import serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.local.graph")
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(serve(create_app(), parser.parse_args().port))


if __name__ == "__main__":
    main()
