"""What to say where set-up has not been run, or another Python is used than that of .venv."""


def advice(missing: ModuleNotFoundError, command: str) -> str:
    return (
        f"{missing.name} is not installed for this Python."
        f" Run infra/local/setup.sh (or make setup), then .venv/bin/python -m {command}."
    )
