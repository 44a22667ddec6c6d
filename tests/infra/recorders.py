"""`az` and `azd` in place of the real ones: they write down how they are called."""

import json
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = """#!/bin/sh
printf '%s\\0' {name} "$@" '
' >>"{folder}/calls"  # at once: in a pipe several write at a time
{answer}
"""
# `azd env set NAME VALUE …`
_KEEP = '[ "$1 $2" = "env set" ] && echo "$3=$4" >>"{folder}/environment"'
_CASE = """case "$*" in
{cases}
*) echo "no answer is prepared: $*" >&2; exit 99 ;;
esac"""


@dataclass
class Recorders:
    """`az` answers by how its arguments begin."""

    folder: Path

    def __post_init__(self) -> None:
        self._script("azd", _KEEP.format(folder=self.folder))

    def az(self, **answers: str | int) -> None:
        """Say what is answered to which command (`account_show`): a text, or an exit code."""
        cases = [
            f"'{command.replace('_', ' ')}'*) "
            + (f"exit {answer}" if isinstance(answer, int) else f"echo '{answer}'")
            + " ;;"
            for command, answer in answers.items()
        ]
        self._script("az", _CASE.format(cases="\n".join(cases)))

    def tool(self, name: str, answer: str) -> None:
        self._script(name, answer)

    def _script(self, name: str, answer: str) -> None:
        path = self.folder / name
        path.write_text(_SCRIPT.format(name=name, folder=self.folder, answer=answer))
        path.chmod(0o755)

    @property
    def calls(self) -> list[list[str]]:
        """Each call, as words."""
        path = self.folder / "calls"
        text = path.read_text() if path.exists() else ""
        return [call.split("\0")[:-1] for call in text.split("\n\0") if call]

    def called(self, *words: str) -> list[list[str]]:
        """Return the calls that begin so."""
        return [call for call in self.calls if tuple(call[: len(words)]) == words]


def token(text: str) -> str:
    """What `az account get-access-token` answers."""
    return json.dumps({"accessToken": text, "expiresOn": "2099-01-01 00:00:00.000000"})
