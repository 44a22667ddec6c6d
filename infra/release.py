"""python -m infra.release: what a release holds, from the package that `make package` built.

connorg-VERSION.zip        the package to deploy
connorg-VERSION-….whl      the command for people
connorg-VERSION.cdx.json   what the package is made of, as CycloneDX
SHA256SUMS                 of these, for `sha256sum --check`
"""

import hashlib
import json
import shutil
import subprocess
import sys
import uuid
from email import message_from_string
from pathlib import Path
from typing import Any

from connorg.contract.release import RELEASE
from infra.package.install import UV
from infra.package.layout import SITE_PACKAGES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / ".local/package"
OUTPUT = ROOT / ".local/release"
LOCK = ROOT / "infra/console/package-lock.json"
LIBRARIES = "connorg/functions/console/vendor"


def main() -> int:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    shutil.copy(PACKAGE / "connorg.zip", OUTPUT / f"connorg-{RELEASE}.zip")
    build_wheel(OUTPUT)
    contents = json.dumps(sbom(PACKAGE / "app"), indent=2)
    (OUTPUT / f"connorg-{RELEASE}.cdx.json").write_text(f"{contents}\n")
    (OUTPUT / "SHA256SUMS").write_text(checksums(OUTPUT))
    return 0


def build_wheel(folder: Path) -> None:
    """Build the wheel of the command, by what requirements-dev.txt pins: nothing is downloaded."""
    build = [str(UV), "build", "--quiet", "--wheel", "--no-build-isolation"]
    where = ["--python", sys.executable, "--out-dir", str(folder)]
    subprocess.run([*build, *where, str(ROOT)], check=True)


def sbom(app: Path) -> dict[str, Any]:
    """Name what is in an unpacked package. It is the same each time, so no time is in it."""
    infos = sorted((app / SITE_PACKAGES).glob("*.dist-info/METADATA"))
    components = [_component(info.read_text()) for info in infos]
    if (app / LIBRARIES).exists():
        components += _libraries(json.loads(LOCK.read_text()))
    content = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "connorg",
                "name": "connorg",
                "version": RELEASE,
                "licenses": [{"license": {"id": "MIT"}}],
            }
        },
        "components": components,
        "dependencies": [{"ref": "connorg", "dependsOn": [one["bom-ref"] for one in components]}],
    }


def _component(metadata: str) -> dict[str, Any]:
    told = message_from_string(metadata)
    purl = f"pkg:pypi/{told['Name'].lower().replace('_', '-')}@{told['Version']}"
    component = {
        "type": "library",
        "bom-ref": purl,
        "name": told["Name"],
        "version": told["Version"],
        "purl": purl,
    }
    if expression := told.get("License-Expression"):
        component["licenses"] = [{"expression": expression}]
    return component


def _libraries(lock: dict[str, Any]) -> list[dict[str, Any]]:
    """Name the console's libraries, without what its tests alone need."""
    kept = [(path, told) for path, told in lock["packages"].items() if path and not told.get("dev")]
    return [_library(path.removeprefix("node_modules/"), told) for path, told in kept]


def _library(name: str, told: dict[str, Any]) -> dict[str, Any]:
    purl = f"pkg:npm/{name}@{told['version']}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": told["version"],
        "purl": purl,
        "licenses": [{"expression": told["license"]}],
    }


def checksums(folder: Path) -> str:
    files = sorted(path for path in folder.iterdir() if path.suffix in {".json", ".whl", ".zip"})
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files
    )


if __name__ == "__main__":
    sys.exit(main())
