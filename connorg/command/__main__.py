"""`python -m connorg.command`."""

from connorg.command.commands import run

run()
