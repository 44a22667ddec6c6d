"""What an HTTP function is registered by."""

import re
from dataclasses import dataclass

import azure.functions as func

from connorg.contract.effects import Role
from connorg.functions.http.audited import EFFECTS, audited
from connorg.functions.http.problem_boundary import Handler, with_problem_answers
from connorg.settings import entra_required


@dataclass(frozen=True)
class Route:
    name: str
    method: str
    path: str
    handler: Handler
    role: Role | None
    """The app role that an Entra caller needs; None: anybody may call."""

    @property
    def parameters(self) -> list[str]:
        """Return the names of those in its path, in their order."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def needs_settings(self) -> bool:
        """Return whether it is closed while an app setting is wrong: all but what says so are."""
        return self.path != "health"

    @property
    def auth_level(self) -> func.AuthLevel:
        """Say which key the host asks for: none if callers have an Entra token instead.

        App Service authentication is in front of such an app, and `answering` asks for the role.
        """
        if self.role is None or entra_required():
            return func.AuthLevel.ANONYMOUS
        return func.AuthLevel.ADMIN if self.role is Role.DELETE else func.AuthLevel.FUNCTION

    def register(self, app: func.FunctionApp) -> None:
        route = app.route(self.path, methods=[self.method], auth_level=self.auth_level)
        effect = EFFECTS.get(self.name)
        handler = with_problem_answers(
            self.handler, self.role, effect, needs_settings=self.needs_settings
        )
        if effect is not None:
            handler = audited(handler, effect, self.role)
        app.function_name(self.name)(route(handler))
