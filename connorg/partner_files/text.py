"""The text of a file that somebody made: UTF-8 with or without a mark, or UTF-16 with one."""

import codecs
import re

from connorg.partner_files.raw_rows import FileUnreadableError

_WORKBOOKS = {
    b"PK\x03\x04": "an Excel workbook, or another zip file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook of the old kind",
}
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# What no text holds. Vertical tab, form feed and escape do get into cells: those are for the rows.
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SAVE_AS = "Save it as 'CSV UTF-8 (Comma delimited)', as Excel calls it, and send that file."


def text_of(body: bytes) -> str:
    """Decode a file. Raises FileUnreadableError, with the line and the byte where it goes wrong."""
    for mark, kind in _WORKBOOKS.items():
        if body.startswith(mark):
            raise FileUnreadableError(f"The file is {kind}, not text.", _SAVE_AS)
    text = _decoded(body)
    if (place := text.find("\0")) >= 0:
        line = _lines(text[:place].encode(errors="replace")) + 1
        raise FileUnreadableError(f"The file is no text: line {line} holds a NUL.", _SAVE_AS)
    return text


def _decoded(body: bytes) -> str:
    encoding = _UTF_16.get(body[:2])
    try:
        return body[2:].decode(encoding) if encoding else body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Without the mark, so that the place is one in the whole of the file.
        left_out = len(body) - len(error.object)
        raise _undecodable(body, left_out + error.start, encoding) from None


def _undecodable(body: bytes, place: int, encoding: str | None) -> FileUnreadableError:
    before = body[:place]
    where = f"byte {place + 1}, in line {_lines(before) + 1}"
    if encoding:
        return FileUnreadableError(f"The file is not whole UTF-16: {where}.", _SAVE_AS)
    if _BINARY.search(body):
        return FileUnreadableError("The file is no text.", _SAVE_AS)
    return FileUnreadableError(
        f"The file is not UTF-8: {where}, is 0x{body[place]:02X}."
        " It was probably saved in an older encoding, such as Windows-1252.",
        _SAVE_AS,
    )


def _lines(before: bytes) -> int:
    return len(re.findall(rb"\r\n|\r|\n", before.replace(b"\0", b"")))
