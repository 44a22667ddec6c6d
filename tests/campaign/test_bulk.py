"""A small batch as `make bulk` measures it, with kills. Its figures are the machine's business."""

import pytest

from tests.campaign.bulk import measure

pytestmark = pytest.mark.slow

ROWS = 60


async def test_every_row_of_a_batch_ends_well_while_the_functions_are_killed() -> None:
    measured = await measure(ROWS, limit=50, lookups=False, kills=2)
    assert measured.broken_promises() == []
    assert measured.ended["conclusions"] == {"created": ROWS}


async def test_with_lookups_and_single_requests_meanwhile() -> None:
    measured = await measure(ROWS, limit=100, lookups=True, kills=0)
    assert measured.broken_promises() == []
    assert measured.meanwhile.concluded, "no single request was done meanwhile"
