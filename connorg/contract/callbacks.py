"""What the ledger knows of a callback, so that it is made once."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from connorg.contract.model import Model


class CallbackRecord(Model):
    # Under the same version there may be more fields, of the kind that may be lost.
    model_config = ConfigDict(extra="ignore")

    onboarding_id: str
    name: str
    """As messages.CallbackMessage has it. The address itself is not noted."""
    due: datetime | None = None
    """Before this moment it is not called: a call is in progress, or failed lately."""
    ended: str | None = None
    """How it ended; None: it is still to be made."""
    etag: Annotated[str | None, Field(exclude=True)] = None
    """The version that the ledger holds; None before it holds one."""
