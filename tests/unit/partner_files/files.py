"""Files of partners as tests need them, and what became of them."""

import pytest
from pydantic import JsonValue

from connorg.partner_files.reader import FileUnreadableError, PartnerFile, PartnerRow, read_partners

type Content = str | bytes


async def read(content: Content, content_type: str | None = None) -> PartnerFile:
    body = content.encode() if isinstance(content, str) else content
    return await read_partners(body, content_type)


async def rows(content: Content, content_type: str | None = None) -> tuple[PartnerRow, ...]:
    return (await read(content, content_type)).rows


async def only_row(content: Content, content_type: str | None = None) -> PartnerRow:
    [row] = await rows(content, content_type)
    return row


async def bodies(content: Content, content_type: str | None = None) -> list[JsonValue]:
    """Return the requests as they would be sent one by one."""
    read = await rows(content, content_type)
    assert [row.faults for row in read] == [()] * len(read)
    dumped = [row.request.model_dump(mode="json", exclude_none=True) for row in read if row.request]
    return [*dumped]


async def unreadable(content: Content, content_type: str | None = None) -> str:
    """Return the sentence that says why a file can't be read."""
    with pytest.raises(FileUnreadableError) as raised:
        await read(content, content_type)
    assert raised.value.action.endswith("."), "it says what to do"
    return str(raised.value)
