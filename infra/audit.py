"""python -m infra.audit: ask about holes in the dependencies, and look for secrets in the files.

Fails when something is found. Fails not when nothing could be learnt for want of a network: it
says so in a sentence.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PINS = ("requirements.txt", "requirements-dev.txt", "requirements-node.txt")
SECONDS = 120  # for the advisories of one file of pins

# By advisory, why connorg is not touched by it; asked again with each new pin.
ACCEPTED: Mapping[str, str] = {}

# Where something that looks like a secret is allowed, and why. By file, or files.
NO_SECRETS: Mapping[str, str] = {
    "requirements*.txt": "hashes of packages",
    "infra/console/package-lock.json": "hashes of packages",
    "infra/local/azurite/package-lock.json": "hashes of packages",
    "infra/local/azurite.py": "the storage emulator's key, published, the same on every machine",
    "connorg/settings.py": "names of settings that hold secrets",
    "docs/connect/*": "names of settings that hold secrets",
    "tests/contract/test_functions_host_http.py": "ids of traces",
    "tests/contract/test_transactions.py": "the key that Microsoft publishes for emulators",
    "tests/end_to_end/test_application_insights.py": "the id of a trace",
    "tests/end_to_end/test_deployed_settings.py": "a secret that the test made up",
    "tests/end_to_end/test_doctor.py": "a secret that the test made up",
    "tests/end_to_end/test_traces.py": "the id of a trace",
    "infra/bicep/hashes.py": "the name space of Azure's guid()",
    "tests/infra/test_doctor_templates.py": "a secret that the test made up",
    "tests/infra/test_files.py": "the name of a setting that holds secrets",
    "tests/payloads/*": "published examples of signed events",
    "tests/receivers.py": "secrets that tests made up",
    "tests/recorded/*": "ids, and the hash of an Idempotency-Key",
    "tests/senders.py": "secrets that tests made up",
    "tests/unit/*": "secrets that tests made up, and published test vectors of signatures",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="infra.audit", description=__doc__)
    parser.add_argument("--osv-url", help="ask this OSV service in place of PyPI")
    parser.add_argument("files", nargs="*", help="files of pins; without any: the repository's")
    arguments = parser.parse_args()
    service = ["--vulnerability-service", "osv", "--osv-url", arguments.osv_url]
    asked = service if arguments.osv_url else []
    sound = [without_holes(pins, asked) for pins in arguments.files or PINS]
    if not arguments.files:
        sound.append(without_secrets(_tracked()))
    return 0 if all(sound) else 1


def without_holes(pins: str, service: Sequence[str]) -> bool:
    """Whether no hole is known that is not accepted."""
    accepted = [word for advisory in ACCEPTED for word in ("--ignore-vuln", advisory)]
    command = [sys.executable, "-m", "pip_audit", "--requirement", pins, "--disable-pip"]
    quiet = ["--require-hashes", "--progress-spinner", "off", "--format", "json"]
    try:
        run = _run([*command, *quiet, *service, *accepted], SECONDS)
        audited: list[dict[str, Any]] = json.loads(run.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return _say(f"{pins}: the advisory service can't be reached, so nothing was checked.")
    unknown = [one for one in audited if "skip_reason" in one]
    known = f"{len(audited) - len(unknown)} of {len(audited)} packages"
    holes = [(one, hole) for one in audited for hole in one.get("vulns", [])]
    for one, hole in holes:
        mended = ", ".join(hole["fix_versions"]) or "not yet"
        _say(f"{pins}: {one['name']} {one['version']} has {hole['id']}; mended in: {mended}.")
    if len(unknown) == len(audited):
        return _say(f"{pins}: the advisory service knows none of the packages; nothing was learnt.")
    _say(f"{pins}: {len(holes)} known holes; the advisory service knows {known}.")
    return not holes


def without_secrets(files: Sequence[str], folder: Path = ROOT) -> bool:
    """Whether no file holds what looks like a secret, but for those named above."""
    scanned = [file for file in files if not any(fnmatch(file, kept) for kept in NO_SECRETS)]
    command = [sys.executable, "-m", "detect_secrets", "scan", "--all-files", *scanned]
    found = json.loads(_run(command, SECONDS, folder).stdout)["results"]
    for file, places in found.items():
        lines = ", ".join(str(place["line_number"]) for place in places)
        _say(f"{file}: looks like a secret, line {lines}. Remove it, or give the reason in {_HERE}")
    _say(f"secrets: {len(found)} of {len(scanned)} files hold what looks like one.")
    return not found


_HERE = Path(__file__).relative_to(ROOT)


def _tracked() -> list[str]:
    return _run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], 60
    ).stdout.split()


def _run(
    command: Sequence[str], seconds: float, folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
    )


def _say(sentence: str) -> bool:
    print(sentence)  # noqa: T201  this is what the command is for
    return True


if __name__ == "__main__":
    sys.exit(main())
