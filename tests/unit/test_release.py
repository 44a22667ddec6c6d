"""A release has one version, and says what is in it."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

from connorg.contract.release import RELEASE
from connorg.functions.openapi.document import document
from function_app import routes
from infra.package.layout import SITE_PACKAGES
from infra.release import LIBRARIES, checksums, sbom

ROOT = Path(__file__).parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def test_the_version_stands_in_one_place() -> None:
    for path in (ROOT / "pyproject.toml", ROOT / "infra/command/pyproject.toml"):
        assert tomllib.loads(path.read_text())["project"]["dynamic"] == ["version"]


def test_the_changelog_tells_of_this_version_or_of_what_comes_next() -> None:
    told = re.findall(r"^## \[([^\]]+)\]", CHANGELOG, re.MULTILINE)
    assert told[0] == "Unreleased"
    assert RELEASE in told or told == ["Unreleased"]


def test_a_bill_of_materials_names_each_distribution_of_the_package(tmp_path: Path) -> None:
    for name, version, more in (("aiohttp", "3.1", "License-Expression: MIT\n"), ("A_b", "2", "")):
        info = tmp_path / SITE_PACKAGES / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        told = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{more}"
        (info / "METADATA").write_text(told)
    bill = sbom(tmp_path)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["version"] == RELEASE
    purls = [one["purl"] for one in bill["components"]]
    assert purls == ["pkg:pypi/a-b@2", "pkg:pypi/aiohttp@3.1"]
    assert bill["components"][1]["licenses"] == [{"expression": "MIT"}]
    assert bill["dependencies"] == [{"ref": "connorg", "dependsOn": purls}]
    assert bill == sbom(tmp_path)


def test_a_bill_of_materials_names_the_libraries_of_the_console(tmp_path: Path) -> None:
    (tmp_path / LIBRARIES).mkdir(parents=True)
    bill = sbom(tmp_path)
    asked = json.loads((ROOT / "infra/console/package.json").read_text())["dependencies"]
    purls = {f"pkg:npm/{name}@{version}" for name, version in asked.items()}
    assert {one["purl"] for one in bill["components"]} == purls
    assert {*bill["dependencies"][0]["dependsOn"]} == purls


def test_checksums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"a")
    (tmp_path / "SHA256SUMS").write_text(checksums(tmp_path))
    check = ["sha256sum", "--check", "SHA256SUMS"]
    assert subprocess.run(check, cwd=tmp_path, check=False, capture_output=True).returncode == 0


def test_the_openapi_document_shows_it() -> None:
    assert document(routes)["info"]["version"] == RELEASE
