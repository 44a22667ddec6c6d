"""python -m tests.infra.az: write each `az` command of pages, hooks, doctor and hand-over texts.

A line each, as JSON: where it stands, and its words after `az`. Shells take them apart, as they
would for whoever pastes them: the examples of a page are run by bash, with nothing on the path but
recorders. In capitals stands what only the reader knows; it is left as it is.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra.doctor import mends, outside
from infra.grant.hand_over import hand_over
from infra.grant.rights import GOVERNANCE, LOOKUP, WRITE, AppRole
from tests.infra.app_settings import ROOT
from tests.infra.recorders import Recorders

type Command = tuple[str, list[str]]

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
HOOKS = ROOT / "infra/hooks"
# Everything that a hook may read; each hook then goes its longest way.
HOOK_ENVIRONMENT = {
    "AZURE_ENV_NAME": "prod",
    "AZURE_LOCATION": "westeurope",
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000001",
    "AZURE_TENANT_ID": "00000000-0000-0000-0000-000000000002",
    "CONNORG_PRINCIPAL_ID": "00000000-0000-0000-0000-000000000005",
    "CONNORG_PRIVATE_NETWORK": "true",
}
COMMANDS_OF_HAND_OVER = r"bash:\n\n(.*)\n\n\"already"
_BLOCK = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(az [^`]+)`")
# In a sentence a command ends where the sentence goes on.
_IN_TEXT = re.compile(r"\baz (?:[\w-]+ ).*?(?=\. |\.$|, or,|, and let|, with|\)|$)", re.MULTILINE)


def commands() -> Iterator[Command]:
    for page in PAGES:
        text = page.read_text()
        scripts = [block for block in _BLOCK.findall(text) if re.search(r"\baz ", block)]
        yield from run(str(page.relative_to(ROOT)), [*scripts, *_INLINE.findall(text)])
    for hook in sorted(HOOKS.iterdir()):
        yield from run(f"infra/hooks/{hook.name}", [hook.read_text()], HOOK_ENVIRONMENT)
    yield from of_texts("infra/doctor", doctor_texts())
    yield from run("infra/grant", re.findall(COMMANDS_OF_HAND_OVER, granting(), re.DOTALL))


def doctor_texts() -> Iterator[str]:
    told = {
        mends.mend_of(check, status, "Do this.")
        for check in (*mends.CHECKS, "queue onboarding", "table ledger")
        for status in ("missing", "blocked")
    }
    yield from sorted(told)
    for module in (mends, outside):
        source = Path(str(module.__file__)).read_text()
        joined = re.sub(r'"\s*\n\s*f?"', "", source)
        yield from re.findall(r"\"([^\"]*\baz [^\"]*)\"", joined)


def granting() -> str:
    rights = (GOVERNANCE, WRITE, LOOKUP, AppRole("Onboarding.Read", "APP_ID", "lets it read"))
    return hand_over("PRINCIPAL_ID", "connorg", rights, "https://graph.microsoft.com")


def of_texts(place: str, texts: Iterator[str]) -> Iterator[Command]:
    for text in texts:
        whole = [found for found in _IN_TEXT.findall(text) if "{" not in found]
        yield from run(place, [found for found in whole if not found.endswith("--role")])


def run(
    place: str, scripts: list[str], environment: dict[str, str] | None = None
) -> Iterator[Command]:
    """Return the commands that scripts come to."""
    for script in scripts:
        with tempfile.TemporaryDirectory() as folder:
            recorders = Recorders(Path(folder))
            recorders.tool("az", 'case "$*" in *registrationState*) echo No ;; *) echo ID ;; esac')
            subprocess.run(
                ["/bin/bash", "-c", script],
                check=False,
                cwd=folder,
                env={**(environment or {}), "PATH": folder},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=60,
            )
            for words in recorders.called("az"):
                yield place, words[1:]


def main() -> int:
    found: dict[str, Command] = {}
    for place, words in commands():
        found.setdefault(json.dumps(words), (place, words))
    for command in found.values():
        sys.stdout.write(json.dumps(command) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
