"""What is kept is computed from the imports."""

import pytest

from infra.package import PackageError, unseen
from tests.package.installs import SDK, Install

POST = "from sdk.generated.models.partner import Partner\n"
ALL_MODELS = {"partner", "sponsor", "address", "entity", "secret"}


def models(install: Install) -> set[str]:
    prefix = "sdk.generated.models."
    return {name.removeprefix(prefix) for name in install.kept() if name.startswith(prefix)}


def test_what_nothing_imports_is_left_out(install: Install) -> None:
    install.app_is("from library import used")
    install.has(
        "library",
        {
            "library/__init__.py": "",
            "library/used.py": "from .helper import help_out",
            "library/helper.py": "def help_out(): ...",
            "library/unused.py": "",
        },
    )
    install.has("other", {"other.py": ""})
    assert install.kept() == {"library", "library.used", "library.helper"}


def test_what_a_function_of_the_app_imports_is_needed(install: Install) -> None:
    install.app_is("", later="def run():\n    import library\n")
    install.has("library", {"library.py": ""})
    closure = install.closure()
    assert "library" in closure.kept
    assert "library" in closure.certain


def test_what_a_function_of_a_dependency_imports_is_kept_and_not_needed(install: Install) -> None:
    install.app_is("import library")
    install.has("library", {"library.py": "def run():\n    import plugin, gone\n"})
    install.has("plugin", {"plugin.py": ""})
    closure = install.closure()
    assert "plugin" in closure.kept
    assert "plugin" not in closure.certain


def test_imports_for_type_checkers_do_not_count(install: Install) -> None:
    install.app_is(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import library, gone\n"
    )
    install.has("library", {"library.py": ""})
    assert install.kept() == set()


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    import gone\nexcept ImportError:\n    gone = None\n",
        "try:\n    import gone\nexcept (ValueError, ModuleNotFoundError):\n    import gone_too\n",
        "import sys\nif sys.version_info >= (3, 14):\n    import gone\n",
        "import sys\nif sys.platform == 'win32' and sys.maxsize:\n    import gone\n",
        "import os\nif os.environ.get('SWITCH'):\n    import gone\n",
    ],
)
def test_what_is_imported_if_it_is_there_may_be_missing(install: Install, source: str) -> None:
    install.app_is(source)
    assert install.kept() == set()


@pytest.mark.parametrize(
    "source",
    [
        "import gone",
        "def run():\n    import gone\n",
        "try:\n    import gone\nexcept ValueError:\n    pass\n",
        "import sys\nif sys.version_info >= (3, 13):\n    import gone\n",
    ],
)
def test_a_needed_module_that_is_missing_fails_the_build(install: Install, source: str) -> None:
    install.app_is("import library")
    install.has("library", {"library.py": "from deep import inside"})
    install.has("deep", {"deep/__init__.py": "", "deep/inside.py": ""})
    install.kept()
    install.app_is("import library", work=source)
    with pytest.raises(PackageError, match=r"^connorg\.work needs the module gone, which is not"):
        install.kept()


def test_a_dependency_that_needs_what_is_missing_fails_the_build(install: Install) -> None:
    install.app_is("import library")
    install.has("library", {"library.py": "import deep.gone"})
    install.has("deep", {"deep/__init__.py": ""})
    with pytest.raises(PackageError, match=r"^library needs the module deep\.gone, which is not"):
        install.kept()


def test_of_generated_builders_those_that_the_app_names_are_kept(install: Install) -> None:
    install.app_is("from sdk import Client\nclient = Client().partners\n")
    install.has("sdk", SDK)
    builders = {name for name in install.kept() if name.endswith("builder")}
    assert builders == {"sdk.generated.partners.builder"}


def test_a_builder_is_named_where_the_sdk_is_imported(install: Install) -> None:
    """Elsewhere the same word is some other attribute."""
    install.app_is("import sdk", other="class A: ...\nA().users")
    install.has("sdk", SDK)
    assert not [name for name in install.kept() if name.endswith("builder")]


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        (POST + "def body() -> Partner: return Partner()", {"partner", "entity"}),
        (POST + "read(Partner)", ALL_MODELS),
        ("import sdk\nasync def make(): await sdk.Client().partners.post({})", ALL_MODELS),
    ],
)
def test_a_generated_model_that_is_only_written_needs_no_other(
    install: Install, source: str, kept: set[str]
) -> None:
    install.app_is(source)
    install.has("sdk", SDK)
    assert models(install) == kept


def test_who_imports_computed_names_keeps_its_distribution(install: Install) -> None:
    install.app_is("import library")
    install.has(
        "library",
        {
            "library/__init__.py": "import importlib\nimportlib.import_module(f'library.{1}')",
            "library/one.py": "from far import away",
            "library/__main__.py": "",
        },
    )
    install.has("far", {"far.py": "away = 1", "wide.py": ""})
    assert install.kept() == {"library", "library.one", "far"}


def test_what_an_extension_module_names_is_kept(install: Install) -> None:
    install.app_is("import library.fast")
    names = "\0library._helper\0far.away\0strange\0"
    tagged = "library/fast.cpython-313-x86_64-linux-gnu.so"
    files = {"library/__init__.py": "", "library/_helper.py": "", tagged: names}
    install.has(
        "library", files, metadata='Requires-Dist: far>=1\nRequires-Dist: no; extra == "x"\n'
    )
    far = {"far/__init__.py": "", "far/away.py": "", "far/off.py": ""}
    install.has("far", far)
    install.has("strange", {"strange.py": ""})
    kept = {"library", "library.fast", "library._helper", "far", "far.away"}
    assert install.kept() == kept


def test_an_entry_point_is_kept_if_its_group_is_asked_for(install: Install) -> None:
    install.app_is("import asking, offering")
    install.has("asking", {"asking.py": "entry_points(group='wanted')"})
    install.has(
        "offering",
        {"offering/__init__.py": "", "offering/one.py": "", "offering/two.py": ""},
        entries="[wanted]\none = offering.one:Class\n[unwanted]\ntwo = offering.two\n",
    )
    assert install.kept() == {"asking", "offering", "offering.one"}


def test_a_data_file_is_kept_if_a_module_names_it(install: Install) -> None:
    install.app_is("import library")
    files = {
        "library/__init__.py": "files('library').joinpath('data.pem')",
        "library/data.pem": "",
        "library/notes.txt": "",
    }
    install.has("library", files)
    found = unseen.data_files(install.closure().kept.values())
    assert [str(path) for _, path in found] == ["library/data.pem"]
