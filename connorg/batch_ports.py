"""Where batches are kept, as the core needs it. `storage` provides it."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.identifiers import BatchPlace
from connorg.contract.onboarding import Conclusion


@dataclass(frozen=True)
class RowOutline:
    """As much of a row as is needed to count it."""

    number: int
    status: RowStatus
    conclusion: Conclusion | None
    duplicate_of: int | None
    noted_date_time: datetime | None


class Batches(Protocol):
    """Every method may raise StorageUnavailableError."""

    async def write(self, batch: Batch, rows: Sequence[BatchRow]) -> None:
        """Write the rows with their requests, and then the batch, which is there when they all are.

        What was written before stays as it is: the same call may be made again.
        """
        ...

    async def read(self, batch_id: str) -> Batch | None: ...

    async def row(self, place: BatchPlace) -> BatchRow | None:
        """Give a row without its request."""
        ...

    async def rows(
        self, batch_id: str, first: int = 0, last: int | None = None, *, requests: bool = False
    ) -> tuple[BatchRow, ...]:
        """Give the rows from one to another, in the order of the file."""
        ...

    async def outline(self, batch_id: str) -> tuple[RowOutline, ...]: ...

    async def save(self, rows: Sequence[BatchRow]) -> None:
        """Write later versions of at most 100 rows of a batch, all or none.

        Raises SupersededError where one of them is not as it was read.
        """
        ...

    def purge(self, before: datetime) -> AsyncGenerator[int]:
        """Delete batches that were accepted before; give how many, step by step.

        What became of their onboardings stays in the ledger as long as that keeps it.
        """
        ...
