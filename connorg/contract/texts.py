"""The text of bytes that somebody sent: UTF-8 with or without a mark, or UTF-16."""

import codecs
import re

# The longer marks first: that of UTF-32 begins as that of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# What no text holds. Vertical tab, form feed and escape do get into cells: those are for the rows.
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

_BLANK = ord(" ")


class UndecodableError(Exception):
    """The bytes are no text that can be read. Its text says where, for the caller."""


def text_of(body: bytes, what: str) -> str:
    """Decode bytes; `what` they are: "file", "body".

    Raise UndecodableError, with the line and the byte where it goes wrong.
    """
    mark, encoding = _encoding_of(body)
    try:
        return body[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        # With the mark, so that the place is one in the whole of it.
        raise _undecodable(body, what, len(mark) + error.start, encoding) from None


def _encoding_of(body: bytes) -> tuple[bytes, str]:
    for mark, encoding in _MARKS.items():
        if body.startswith(mark):
            return mark, encoding
    # What people send begins with a character of ASCII, which has a NUL beside it in UTF-16.
    match tuple(body[:2]):
        case (first, 0) if first >= _BLANK:
            return b"", "utf-16-le"
        case (0, second) if second >= _BLANK:
            return b"", "utf-16-be"
    return b"", "utf-8"


def _undecodable(body: bytes, what: str, place: int, encoding: str) -> UndecodableError:
    before = body[:place]
    where = f"byte {place + 1}, in line {lines_in(before) + 1}"
    if encoding != "utf-8":
        return UndecodableError(f"The {what} is not whole {encoding.upper()[:6]}: {where}.")
    if _BINARY.search(body):
        return UndecodableError(f"The {what} is no text.")
    return UndecodableError(
        f"The {what} is not UTF-8: {where}, is 0x{body[place]:02X}."
        " It was probably saved in an older encoding, such as Windows-1252."
    )


def lines_in(text: bytes) -> int:
    """Count the ends of lines."""
    return len(re.findall(rb"\r\n|\r|\n", text.replace(b"\0", b"")))
