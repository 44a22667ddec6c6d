"""What Batches promise: those on the simulated table, and those on Azurite's."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from connorg.contract.batches import Batch, BatchRow, RowStatus
from connorg.contract.identifiers import RowRef, new_batch_id
from connorg.contract.onboarding import Conclusion
from connorg.core.ports import Batches, SupersededError
from connorg.storage.batches import AzureBatches
from tests.contract.test_ledger import partner
from tests.unit.partners import domain_source, request

NOW = datetime(2026, 11, 2, 9, 30, 0, 123, tzinfo=UTC)


@pytest.fixture
def batches(any_table: Any) -> Batches:
    return AzureBatches(any_table)


def batch(**values: Any) -> Batch:
    known = {"id": new_batch_id(NOW, Random()), "created_date_time": NOW}
    return Batch.model_validate({**known, **values})


def row(of: Batch, number: int, **values: Any) -> BatchRow:
    domain = partner()
    asked = request(domain_source(domain))
    known = {"batch_id": of.id, "number": number, "name": domain, "request": asked}
    return BatchRow.model_validate({**known, **values})


def told(rows: tuple[BatchRow, ...]) -> list[BatchRow]:
    """The rows without what the table adds to them."""
    return [row.model_copy(update={"etag": None}) for row in rows]


def without_requests(rows: list[BatchRow]) -> list[BatchRow]:
    return [row.model_copy(update={"request": None}) for row in rows]


async def test_a_batch_is_read_as_it_was_written(batches: Batches) -> None:
    written = batch(reference="REQ0042", ignored_columns=("Colour",), traceparent="00-a-b-01")
    rows = [row(written, number) for number in (2, 3, 17, 1234567)]
    await batches.write(written, rows)
    assert await batches.read(written.id) == written
    assert told(await batches.rows(written.id, requests=True)) == rows
    assert told(await batches.rows(written.id)) == without_requests(rows)
    assert told(await batches.rows(written.id, 3, 17)) == without_requests(rows[1:3])
    one = await batches.row(RowRef(batch=written.id, row=17))
    assert one is not None
    assert told((one,)) == without_requests(rows[2:3])


async def test_what_is_not_there_is_none(batches: Batches) -> None:
    assert await batches.read(batch().id) is None
    assert await batches.row(RowRef(batch=batch().id, row=1)) is None
    assert await batches.rows(batch().id) == ()
    written = batch()
    await batches.write(written, [row(written, 1)])
    assert await batches.read(batch().id) is None
    assert await batches.outline(batch().id) == ()


async def test_thousands_of_rows_are_written_and_read_in_their_order(batches: Batches) -> None:
    written = batch()
    rows = [row(written, number) for number in range(2, 1203)]
    await batches.write(written, rows)
    assert [found.number for found in await batches.outline(written.id)] == [*range(2, 1203)]
    assert len(await batches.rows(written.id)) == len(rows)


async def test_rows_that_are_too_much_for_one_transaction_are_written(batches: Batches) -> None:
    written = batch()
    wide = "\N{GRINNING FACE}"
    long = request(domain_source(partner()), description=wide * 1000)
    rows = [row(written, number, request=long, name=wide * 8_000) for number in range(1, 101)]
    await batches.write(written, rows)
    assert len(await batches.rows(written.id)) == len(rows)


async def test_writing_the_same_again_changes_nothing(batches: Batches) -> None:
    written = batch()
    rows = [row(written, number) for number in range(1, 151)]
    await batches.write(written, rows)
    [first] = await batches.rows(written.id, 1, 1)
    await batches.save([first.model_copy(update={"status": RowStatus.SUCCEEDED})])
    await batches.write(written.model_copy(update={"reference": "other"}), rows)
    [same] = await batches.rows(written.id, 1, 1)
    assert same.status is RowStatus.SUCCEEDED
    assert await batches.read(written.id) == written


async def test_an_outline_tells_what_is_counted(batches: Batches) -> None:
    written = batch()
    double = row(written, 2, duplicate_of=1)
    await batches.write(written, [row(written, 1), double])
    [first] = await batches.rows(written.id, 1, 1)
    noted = {
        "status": RowStatus.SUCCEEDED,
        "conclusion": Conclusion.CREATED,
        "noted_date_time": NOW + timedelta(seconds=1),
    }
    await batches.save([first.model_copy(update=noted)])
    one, two = await batches.outline(written.id)
    assert (one.number, one.status, one.conclusion) == (
        1,
        RowStatus.SUCCEEDED,
        Conclusion.CREATED,
    )
    assert (one.noted_date_time, one.duplicate_of) == (NOW + timedelta(seconds=1), None)
    assert (two.status, two.duplicate_of, two.noted_date_time) == (RowStatus.NOT_STARTED, 1, None)


async def test_a_later_version_keeps_the_request(batches: Batches) -> None:
    written = batch()
    asked = row(written, 1)
    await batches.write(written, [asked])
    [read] = await batches.rows(written.id)
    await batches.save([read.model_copy(update={"status": RowStatus.FAILED, "attempts": 3})])
    [found] = await batches.rows(written.id, requests=True)
    assert (found.status, found.attempts, found.request) == (RowStatus.FAILED, 3, asked.request)


@pytest.mark.parametrize("count", [1, 3])
async def test_rows_that_changed_meanwhile_are_not_overwritten(
    batches: Batches, count: int
) -> None:
    written = batch()
    await batches.write(written, [row(written, number) for number in range(1, 4)])
    read = (await batches.rows(written.id))[:count]
    await batches.save([read[-1].model_copy(update={"status": RowStatus.SUCCEEDED})])
    failed = [found.model_copy(update={"status": RowStatus.FAILED}) for found in read]
    with pytest.raises(SupersededError):
        await batches.save(failed)
    statuses = [found.status for found in await batches.outline(written.id)]
    assert statuses.count(RowStatus.FAILED) == 0, "all or none"
    assert statuses.count(RowStatus.SUCCEEDED) == 1


async def test_saving_no_rows_is_no_call(batches: Batches) -> None:
    await batches.save([])


async def purged(batches: Batches, before: datetime) -> int:
    return sum([count async for count in batches.purge(before)])


async def test_a_purge_takes_old_batches_with_all_their_rows(batches: Batches) -> None:
    later = NOW + timedelta(days=1)
    old, young = batch(), batch(id=new_batch_id(later, Random()), created_date_time=later)
    for one in (old, young):
        await batches.write(one, [row(one, number) for number in range(2, 205)])
    assert await purged(batches, NOW) == 0
    assert await purged(batches, later) == 1
    assert await batches.read(old.id) is None
    assert await batches.outline(old.id) == ()
    assert await batches.read(young.id) == young
    assert len(await batches.outline(young.id)) == 203


async def test_a_purge_finds_no_batch_where_there_is_no_table(batches: Batches) -> None:
    assert await purged(batches, NOW) == 0


async def test_rows_are_found_in_all_batches_with_their_requests(batches: Batches) -> None:
    assert [one async for one in batches.find(lambda _: True)] == []
    first, second = batch(), batch()
    wanted = [row(first, 1), row(second, 7)]
    await batches.write(first, [wanted[0], row(first, 2)])
    await batches.write(second, [wanted[1]])
    names = {one.name for one in wanted}
    found = [one async for one in batches.find(lambda one: one.name in names)]
    assert {one.name: one.request for one in found} == {one.name: one.request for one in wanted}


async def test_a_row_that_is_forgotten_keeps_what_is_counted(batches: Batches) -> None:
    written = batch()
    known = {"status": RowStatus.SUCCEEDED, "conclusion": Conclusion.CREATED, "attempts": 2}
    await batches.write(written, [row(written, 1, **known, onboarding_id="x", noted_date_time=NOW)])
    before = await batches.outline(written.id)
    [held] = [one async for one in batches.find(lambda _: True)]
    await batches.forget(held.forgotten(NOW))
    with pytest.raises(SupersededError):
        await batches.forget(held.forgotten(NOW))
    assert await batches.outline(written.id) == before
    [left] = await batches.rows(written.id, requests=True)
    assert (left.name, left.request, left.onboarding_id) == ("", None, None)
    assert (left.status, left.attempts, left.forgotten_date_time) == ("Succeeded", 2, NOW)
