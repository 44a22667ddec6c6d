"""What to say where set-up has not been run, or another Python is used than that of .venv."""

from importlib.util import find_spec


def require_packages() -> None:
    """Raise ModuleNotFoundError if the parts of the stack, each a process, could not start."""
    if find_spec("aiohttp") is None:
        raise ModuleNotFoundError(name="aiohttp")


def advice(missing: ModuleNotFoundError, command: str) -> str:
    return (
        f"{missing.name} is not installed for this Python."
        f" Run infra/local/setup.sh (or make setup), then .venv/bin/python -m {command}."
    )
