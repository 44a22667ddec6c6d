"""Where a row of a batch is kept."""

from typing import Annotated

from pydantic import ConfigDict, Field

from connorg.contract.model import Model
from connorg.natural_key import BATCH_ID


class BatchPlace(Model):
    model_config = ConfigDict(extra="ignore")

    batch: Annotated[str, Field(pattern=BATCH_ID)]
    row: int
