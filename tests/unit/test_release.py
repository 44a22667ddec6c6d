"""A release has one version, and says what is in it."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

from connorg.contract.release import RELEASE
from connorg.functions.openapi.document import document
from function_app import routes
from infra.package.layout import SITE_PACKAGES
from infra.release import LIBRARIES, build_wheel, checksums, sbom

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
COMMAND = [ROOT / "connorg/bulk.py", *sorted((ROOT / "connorg/command").glob("*.py"))]
NAME = re.compile(r"[\w-]+")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def test_the_version_stands_in_one_place() -> None:
    assert PROJECT["dynamic"] == ["version"]


def test_the_changelog_tells_of_this_version_or_of_what_comes_next() -> None:
    told = re.findall(r"^## \[([^\]]+)\]", CHANGELOG, re.MULTILINE)
    assert told[0] == "Unreleased"
    assert RELEASE in told or told == ["Unreleased"]


def test_the_wheel_holds_the_command_alone(tmp_path: Path) -> None:
    build_wheel(tmp_path)
    [path] = tmp_path.glob("*.whl")
    assert path.name == f"connorg-{RELEASE}-py3-none-any.whl"
    with ZipFile(path) as wheel:
        sources = {name for name in wheel.namelist() if name.endswith(".py")}
        entry_points = wheel.read(f"connorg-{RELEASE}.dist-info/entry_points.txt").decode()
    own = {str(each.relative_to(ROOT)) for each in COMMAND}
    assert sources == {"connorg/__init__.py", *own}
    assert entry_points.split() == [
        "[console_scripts]",
        "connorg",
        "=",
        "connorg.command.commands:run",
    ]


def test_the_command_needs_what_is_installed_with_it_alone() -> None:
    installed = {NAME.match(each)[0] for each in PROJECT["dependencies"]}  # type: ignore[index]
    assert installed == {"httpx", "rich", "typer"}
    for path in COMMAND:
        tree = ast.parse(path.read_text())
        for node in tree.body:  # what is imported later is of an extra
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            for name in filter(None, names):
                top = name.partition(".")[0]
                assert top in {*sys.stdlib_module_names, *installed, "connorg"}, f"{path}: {name}"


def test_the_app_is_deployed_with_what_its_extra_asks_for() -> None:
    app = {NAME.match(each)[0] for each in PROJECT["optional-dependencies"]["app"]}  # type: ignore[index]
    pinned = set(re.findall(r"^([\w-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    assert app <= pinned
    assert not {"rich", "typer", "shellingham"} & pinned


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
