"""Small apps and installs, written from a few lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.package.closure import Closure
from infra.package.modules import Modules, distributions, installed_modules, own_modules

type Files = Mapping[str, str]
# Kiota marks what it generates with this file. The SDK: a client, two builders, three models.
SDK: Files = {
    "sdk/__init__.py": "from .generated.client import Client",
    "sdk/generated/kiota-lock.json": "{}",
    "sdk/generated/client.py": """
class Client:
    @property
    def partners(self):
        from .partners.builder import Builder
        return Builder()
    @property
    def users(self):
        from .users.builder import Builder
        return Builder()
""",
    "sdk/generated/partners/builder.py": """
class Builder:
    async def post(self, body):
        from ..models.partner import Partner
        return await self.send(body, Partner)
""",
    "sdk/generated/users/builder.py": "class Builder: ...",
    "sdk/generated/models/partner.py": """
from .entity import Entity
class Partner(Entity):
    @staticmethod
    def create_from_discriminator_value(parse_node):
        return Partner()
    def get_field_deserializers(self):
        from .sponsor import Sponsor
        return {"sponsor": lambda n: setattr(self, "sponsor", n.get_object_value(Sponsor))}
""",
    "sdk/generated/models/sponsor.py": """
class Sponsor:
    def get_field_deserializers(self):
        from .address import Address
        return {"address": lambda n: n.get_object_value(Address)}
""",
    "sdk/generated/models/address.py": "class Address: ...",
    "sdk/generated/models/entity.py": """
class Entity:
    def get_field_deserializers(self):
        from .secret import Secret
        return {"secret": Secret}
""",
    "sdk/generated/models/secret.py": "class Secret: ...",
}


@dataclass
class Install:
    """An app, and distributions beside it, in a folder of the test's own."""

    folder: Path

    @property
    def app(self) -> Path:
        return self.folder / "app"

    @property
    def uncut(self) -> Path:
        return self.folder / "uncut"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def app_is(self, function_app: str, **modules: str) -> None:
        """The source of function_app.py, and of the modules in connorg."""
        own = {f"connorg/{name}.py": source for name, source in modules.items()}
        files = {"host.json": "{}", "connorg/__init__.py": "", "function_app.py": function_app}
        _write(self.app, {**files, **own})

    def has(self, distribution: str, files: Files, metadata: str = "", entries: str = "") -> None:
        info = f"{distribution}-1.0.dist-info"
        told = f"Metadata-Version: 2.4\nName: {distribution}\nVersion: 1.0\n{metadata}\nThe readme."
        described = {f"{info}/METADATA": told, f"{info}/entry_points.txt": entries}
        written = {**files, **described}
        record = "\n".join(f"{path},," for path in (*written, f"{info}/RECORD"))
        _write(self.uncut, {**written, f"{info}/RECORD": record})

    def closure(self) -> Closure:
        installed = installed_modules(self.uncut, distributions(self.uncut))
        return Closure.of(Modules([*own_modules(self.app), *installed]))

    def kept(self) -> set[str]:
        """The names of the modules that are kept of the distributions."""
        return {name for name, module in self.closure().kept.items() if module.distribution}


def _write(folder: Path, files: Files) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
