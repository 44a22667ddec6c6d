"""How a package is written, tried out and zipped, on small installs."""

import importlib.util
import marshal
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from types import CodeType

import pathspec
import pytest

from infra.package import PackageError
from infra.package.__main__ import ROOT, pack
from infra.package.archive import digest
from tests.infra.azd import uploaded
from tests.package.installs import Install

SITE_PACKAGES = ".python_packages/lib/site-packages"


@pytest.fixture
def simple(install: Install) -> Install:
    install.app_is("import library", work="def work(): ...")
    install.has(
        "library",
        {
            "library/__init__.py": "WORDS = {'a', 'b'}",
            "library/py.typed": "",
            "library/tool.py": "",
        },
    )
    return install


def packed(install: Install) -> set[str]:
    pack(install.app, install.output, install.uncut)
    with zipfile.ZipFile(install.output / "connorg.zip") as archive:
        return set(archive.namelist())


def test_the_zip_holds_the_app_and_its_compiled_dependencies(simple: Install) -> None:
    assert packed(simple) == {
        ".funcignore",
        "host.json",
        "function_app.py",
        "__pycache__/function_app.cpython-313.pyc",
        "connorg/__init__.py",
        "connorg/__pycache__/__init__.cpython-313.pyc",
        "connorg/work.py",
        "connorg/__pycache__/work.cpython-313.pyc",
        f"{SITE_PACKAGES}/library/__init__.pyc",
        f"{SITE_PACKAGES}/library-1.0.dist-info/METADATA",
        f"{SITE_PACKAGES}/library-1.0.dist-info/entry_points.txt",
    }


def test_the_folder_holds_what_the_zip_does(simple: Install) -> None:
    packed(simple)
    (simple.output / "app/connorg/left_from_last_time.py").write_text("")
    names = packed(simple)
    app = simple.output / "app"
    assert {path.relative_to(app).as_posix() for path in app.rglob("*") if path.is_file()} == names


def test_azd_uploads_the_whole_folder(simple: Install) -> None:
    """Bytecode too, which azd leaves out by itself: without it each cold start compiles anew."""
    names = packed(simple)
    assert uploaded(simple.output / "app") == names - {".funcignore"}


def test_it_is_the_same_wherever_it_is_built(install: Install) -> None:
    install.app_is("import library")
    source = "import sys\nif sys.platform == 'linux':\n    import here\nelse:\n    import there\n"
    install.has("library", {"library.py": source, "here.py": "", "there.py": ""})
    packed(install)
    on_azures_platform = digest(install.output / "app")
    done = on_a_mac(install)
    assert done.returncode == 0, done.stderr
    assert "Not tried out" in done.stderr
    assert digest(install.output / "app") == on_azures_platform


def on_a_mac(
    install: Install, prelude: str = "", then: str = "pack(app, output, uncut)"
) -> subprocess.CompletedProcess[str]:
    """Build where Python says that it runs on a Mac."""
    script = f"""if True:
        import importlib.util, platform, sys
        from pathlib import Path
        sys.platform, platform.machine = "darwin", lambda: "arm64"
        {prelude}
        from infra.package.__main__ import build, pack
        app, output, uncut = map(Path, sys.argv[1:])
        {then}
    """
    folders = [str(folder) for folder in (install.app, install.output, install.uncut)]
    return subprocess.run(
        [sys.executable, "-c", script, *folders],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


def test_bytecode_that_azure_does_not_run_is_not_made(install: Install) -> None:
    install.app_is("")
    done = on_a_mac(install, "importlib.util.MAGIC_NUMBER = b'....'", "build(app, output)")
    assert "PackageError: Azure runs the bytecode of Python 3.13" in done.stderr
    assert not install.output.exists()


def test_the_readme_of_a_distribution_is_left_out_and_its_version_is_not(simple: Install) -> None:
    packed(simple)
    metadata = f"{SITE_PACKAGES}/library-1.0.dist-info/METADATA"
    told = (simple.output / "app" / metadata).read_text()
    assert told == "Metadata-Version: 2.4\nName: library\nVersion: 1.0\n"


def test_the_bytecode_is_not_checked_against_sources_and_names_no_folder(simple: Install) -> None:
    packed(simple)
    compiled = simple.output / "app/connorg/__pycache__/work.cpython-313.pyc"
    content = compiled.read_bytes()
    assert content[:4] == importlib.util.MAGIC_NUMBER == b"\xf3\x0d\r\n"
    assert int.from_bytes(content[4:8], "little") == 1  # PEP 552: hash-based, unchecked
    code = marshal.loads(content[16:])
    assert isinstance(code, CodeType)
    assert code.co_filename == "connorg/work.py"


def test_the_same_sources_give_the_same_bytes(simple: Install, tmp_path: Path) -> None:
    packed(simple)
    again = Install(tmp_path / "elsewhere")
    again.app_is("import library", work="def work(): ...")
    again.has(
        "library",
        {
            "library/__init__.py": "WORDS = {'a', 'b'}",
            "library/py.typed": "",
            "library/tool.py": "",
        },
    )
    packed(again)
    first, second = (at.output / "connorg.zip" for at in (simple, again))
    assert first.read_bytes() == second.read_bytes()


def test_the_zip_has_no_date_and_no_right_of_whoever_made_it(simple: Install) -> None:
    packed(simple)
    with zipfile.ZipFile(simple.output / "connorg.zip") as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {stat.filemode(entry.external_attr >> 16) for entry in entries} == {"-rw-r--r--"}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)


def test_a_need_that_no_source_shows_fails_the_build(install: Install) -> None:
    install.app_is("import library")
    install.has("library", {"library.py": "exec('import hidden')"})
    install.has("hidden", {"hidden.py": ""})
    with pytest.raises(
        PackageError,
        match=r"^function_app needs the module library, .* package: .*No module named 'hidden'",
    ):
        packed(install)


def test_a_build_that_fails_leaves_no_older_zip(simple: Install) -> None:
    packed(simple)
    simple.app_is("import gone")
    with pytest.raises(PackageError):
        packed(simple)
    assert not (simple.output / "connorg.zip").exists()


def test_an_optional_module_that_works_uncut_must_work_packed(install: Install) -> None:
    install.app_is("import library")
    install.has("library", {"library.py": "def run():\n    import plugin\n"})
    install.has("plugin", {"plugin.py": "exec('import hidden')"})
    install.has("hidden", {"hidden.py": ""})
    with pytest.raises(PackageError, match=r"^library needs the module plugin"):
        packed(install)


def test_an_optional_module_that_works_nowhere_is_no_fault(install: Install) -> None:
    install.app_is("import library")
    install.has("library", {"library.py": "def run():\n    import plugin\n"})
    install.has("plugin", {"plugin.py": "import never_installed"})
    assert f"{SITE_PACKAGES}/plugin.pyc" in packed(install)


def test_a_name_that_is_not_there_fails_the_build(install: Install) -> None:
    install.app_is("", work="def run():\n    from library import gone\n")
    install.has("library", {"library.py": ""})
    with pytest.raises(PackageError, match=r"^connorg\.work needs the module library.*has no gone"):
        packed(install)


def test_the_command_says_in_a_sentence_why_it_fails(install: Install) -> None:
    install.app_is("")
    pins = "no-such-distribution-of-anybody==1.0 --hash=sha256:" + "0" * 64
    (install.app / "requirements.txt").write_text(pins)
    command = [sys.executable, "-m", "infra.package", f"--app={install.app}"]
    done = subprocess.run(
        [*command, f"--output={install.output}"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "What requirements.txt names can't be installed" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_no_part_of_the_app_is_not_deployed_from_the_sources() -> None:
    """`func azure functionapp publish` and azd take the folder, but what .funcignore names."""
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".funcignore").read_text().splitlines())
    for folder in (".git", ".local", ".venv", "docs", "infra", "tests", "connorg/__pycache__"):
        assert ignored.match_file(f"{folder}/file"), folder
    for file in ("Makefile", "README.md", "pyproject.toml", "requirements-dev.txt", "azure.yaml"):
        assert ignored.match_file(file), file
    for file in ("connorg/core/services.py", "function_app.py", "host.json", "requirements.txt"):
        assert not ignored.match_file(file), file
