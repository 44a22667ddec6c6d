"""The GateStore on one row of the ledger's table."""

from collections.abc import Callable
from contextlib import suppress

from azure.data.tables.aio import TableClient

from connorg.core.ports import SupersededError
from connorg.core.throttle.gate import Gate
from connorg.storage.entities import GATE, etag_of, gate_entity, gate_of
from connorg.storage.tables import read_row, write_row


class AzureGateStore:
    """See gate.GateStore."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    async def read(self) -> Gate:
        held = await read_row(self._table, *GATE)
        return Gate() if held is None else gate_of(held)

    async def change(self, change: Callable[[Gate], Gate]) -> Gate:
        while True:
            held = await read_row(self._table, *GATE)
            gate = change(Gate() if held is None else gate_of(held))
            with suppress(SupersededError):
                await write_row(self._table, gate_entity(gate), held and etag_of(held))
                return gate
