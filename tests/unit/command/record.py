"""python -m tests.unit.command.record: run docs/command.md on the local stack, and write it down.

The app's answers go into answers.json, what the commands show into the page. Do so when either
changes; the tests compare.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from connorg.command.profile import write_profile
from infra.local.child import ROOT
from infra.local.functions_host import DEFAULT_MASTER_KEY
from tests.command import NARROW, Ended, run_here
from tests.stack import Stack
from tests.unit.command.recorded import Recorded, StandIn

PAGE = ROOT / "docs/command.md"
BLOCK = re.compile(r"```console\n\$ connorg (.+)\n((?:.*\n)*?)```")
CSV = re.compile(r"```csv\n(.+?)```", re.DOTALL)
FRAME = re.compile(r"[\u2800-\u28ff]|.*\u2501")  # of what moves while the app is waited for
FILES = ("partners.csv", "more.csv")
KEY = "local-function-key"
SHOWN = "https://APP.azurewebsites.net"
FILES_OUT = ("export", "results", "reports ")
"""What these show in a pipe is another answer."""

type Json = dict[str, Any]


@dataclass
class Reader:
    """Somebody who follows the page, in a folder with its files and a profile."""

    stand_in: StandIn
    folder: Path
    names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, content in zip(FILES, CSV.findall(PAGE.read_text()), strict=True):
            (self.folder / name).write_text(content)
        place = self.folder / ".config/connorg/profile.json"
        write_profile(place, {"url": self.stand_in.url, "key": KEY})

    def words(self, line: str) -> list[str]:
        return [self.names.get(word, word) for word in line.split()]

    def environment(self, line: str) -> dict[str, str]:
        usual = {"HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder / ".config")}
        master = {"CONNORG_KEY": DEFAULT_MASTER_KEY} if line.startswith("forget") else {}
        return {**usual, **master}

    def runs(self, line: str, columns: int | None = NARROW) -> Ended:
        """Run what stands behind `connorg`."""
        (self.folder / "results.csv").unlink(missing_ok=True)
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            return run_here(*self.words(line), env=self.environment(line), columns=columns)
        finally:
            os.chdir(before)

    def shown(self, line: str) -> str:
        """Return what the page is to show."""
        seen = self.runs(line).seen.replace(self.stand_in.url, SHOWN)
        lines = [line.rstrip() for line in seen.splitlines() if line and not FRAME.match(line)]
        return "".join(f"{line}\n" for line in lines)


class Scene:
    """What has happened before a command is run."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._http = httpx.Client(timeout=60)

    def control(self, name: str, body: object) -> None:
        self._http.put(f"{self._stack.graph}/_emulator/{name}", json=body).raise_for_status()

    def asks(self, domain: str, **more: str) -> None:
        body = {
            "displayName": domain.split(".", maxsplit=1)[0].title(),
            "description": "A partner",
            "state": "configured",
            "identitySources": [
                {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": domain}
            ],
            **more,
        }
        key = {"x-functions-key": self._stack.key}
        address = f"{self._stack.functions}/api/connected-organizations"
        self._http.post(address, json=body, headers=key)

    def begins(self) -> None:
        people = [
            {"id": f"00000000-0000-0000-0000-00000000000{i}", "userPrincipalName": name}
            for i, name in enumerate(("ada@our-company.com", "bob@our-company.com"))
        ]
        names = ("11111111-1111-1111-1111-111111111111", "Our company", "our-company.com")
        theirs = ("72f988bf-86f1-41af-91ab-2d7cd011db47", "Fabrikam", "fabrikam.com")
        self.control("tenants", [_tenant(*names, users=people), _tenant(*theirs)])

    def has_adatum(self) -> None:
        self.control("organizations", [_adatum()])

    def fails(self) -> None:
        for domains, status, code in (
            (("alpineskihouse.com", "bellows.com", "cohovineyard.com"), 400, "Refused"),
            (("litware.com", "margiestravel.com"), 403, "QuotaLimitExceeded"),
        ):
            self.control("faults", [_failing_create(status, code)])
            for domain in domains:
                self.asks(domain, reference="REQ0043")
        self.control("faults", [])
        self.asks("adatum.com", ifExists="fail", reference="REQ0044")
        self.control("faults", [_failing_create(423, "Locked")])
        self.asks("treyresearch.com")

    def heals(self) -> None:
        self.control("faults", [_failing_create(423, "Locked") | {"body": "treyresearch"}])


def _tenant(tenant_id: str, name: str, domain: str, users: object = ()) -> Json:
    return {
        "tenantId": tenant_id,
        "displayName": name,
        "defaultDomainName": domain,
        "domains": [domain],
        "users": users,
    }


def _adatum() -> Json:
    source = {"@odata.type": "#microsoft.graph.domainIdentitySource", "domainName": "adatum.com"}
    return {
        "id": "5b6d4f0e-2a2d-4a86-8f39-6a7f1b0f2f11",
        "displayName": "Adatum",
        "description": "Adatum",
        "state": "proposed",
        "identitySources": [source],
        "createdDateTime": "2026-01-15T08:00:00Z",
        "modifiedDateTime": "2026-01-15T08:00:00Z",
    }


def _failing_create(status: int, code: str) -> Json:
    return {"method": "POST", "path": ".*", "fault": "status", "status": status, "code": code}


def main() -> int:
    recorded = Recorded([])
    with tempfile.TemporaryDirectory() as folder, Stack() as stack:
        scene = Scene(stack)
        before: dict[str, Callable[[], None]] = {
            "check partners.csv": scene.begins,
            "check more.csv": scene.has_adatum,
            "status": scene.fails,
            "retry --all": scene.heals,
        }
        with StandIn(recorded, stack.functions) as stand_in:
            reader = Reader(stand_in, Path(folder), recorded.names)

            def written(block: re.Match[str]) -> str:
                line = block[1]
                before.get(line, lambda: None)()
                shown = reader.shown(line)
                if line.startswith(FILES_OUT):
                    reader.runs(line, None)
                _note(recorded.names, "BATCH", r"Batch (batch-[0-9a-f]+) has begun", shown)
                _note(recorded.names, "ID", r"connorg show ([0-9a-f-]+)$", shown)
                return f"```console\n$ connorg {line}\n{shown}```"

            PAGE.write_text(BLOCK.sub(written, PAGE.read_text()))
    for answer in recorded.answers:
        if "retry-after" in answer.headers:
            answer.headers["retry-after"] = "0"  # nobody waits for it any more
    recorded.write()
    return 0


def _note(names: dict[str, str], name: str, pattern: str, shown: str) -> None:
    if found := re.search(pattern, shown, re.MULTILINE):
        names[name] = found[1]


if __name__ == "__main__":
    sys.exit(main())
