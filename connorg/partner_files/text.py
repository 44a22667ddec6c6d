"""The text of a file that somebody made, or what it is in place of text."""

from connorg.contract import texts
from connorg.partner_files.raw_rows import FileUnreadableError

_WORKBOOKS = {
    b"PK\x03\x04": "an Excel workbook, or another zip file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook of the old kind",
}
_SAVE_AS = "Save it as 'CSV UTF-8 (Comma delimited)', as Excel calls it, and send that file."


def text_of(body: bytes) -> str:
    """Decode a file. Raises FileUnreadableError, with the line and the byte where it goes wrong."""
    for mark, kind in _WORKBOOKS.items():
        if body.startswith(mark):
            raise FileUnreadableError(f"The file is {kind}, not text.", _SAVE_AS)
    try:
        text = texts.text_of(body, "file")
    except texts.UndecodableError as error:
        raise FileUnreadableError(str(error), _SAVE_AS) from None
    if (place := text.find("\0")) >= 0:
        line = texts.lines_in(text[:place].encode(errors="replace")) + 1
        raise FileUnreadableError(f"The file is no text: line {line} holds a NUL.", _SAVE_AS)
    return text
