"""The text of a file that somebody made, or what it is in place of text."""

import re

from connorg.contract import texts
from connorg.partner_files.raw_rows import FileUnreadableError

_SAVE_AS = "Save it as 'CSV UTF-8 (Comma delimited)', as Excel calls it, and send that file."
_UNPACK = "Unpack it, and send the file that is in it."
_EXPORT = "Export the table as CSV from where it is, and send that file."
_ALONE = "Send only the file: curl --data-binary @FILE, without -F."
# What a file begins with, what it is then, and what to do.
_NO_TEXT = {
    b"PK\x03\x04": ("an Excel workbook, or another zip file", _SAVE_AS),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook of the old kind", _SAVE_AS),
    b"\x1f\x8b": ("packed by gzip", _UNPACK),
    b"BZh": ("packed by bzip2", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("packed by zstd", _UNPACK),
    b"\xfd7zXZ": ("packed by xz", _UNPACK),
    b"%PDF": ("a PDF", _EXPORT),
    b"PAR1": ("in Parquet format", _EXPORT),
    b"SQLite format 3": ("an SQLite database", _EXPORT),
    b"{\\rtf": ("in Rich Text Format", _SAVE_AS),
}
_FORM = re.compile(r"\s*--[^\r\n]{1,200}[\r\n]+content-disposition: *form-data", re.IGNORECASE)
_MARKUP = re.compile(r"\s*(<!doctype|<html|<\?xml|<table|<workbook)", re.IGNORECASE)
_CTRL_Z = "\x1a"  # DOS, and what still writes as it did, ends a file so


def text_of(body: bytes) -> str:
    """Decode a file. Raise FileUnreadableError, with the line and the byte where it goes wrong."""
    for mark, (kind, action) in _NO_TEXT.items():
        if body.startswith(mark):
            raise FileUnreadableError(f"The file is {kind}, not text.", action)
    try:
        text = texts.text_of(body, "file")
    except texts.UndecodableError as error:
        raise FileUnreadableError(str(error), _SAVE_AS) from None
    if (place := text.find("\0")) >= 0:
        line = texts.lines_in(text[:place].encode(errors="replace")) + 1
        raise FileUnreadableError(f"The file is not text: line {line} contains a NUL.", _SAVE_AS)
    if _FORM.match(text):
        raise FileUnreadableError("The file is wrapped in a form, as curl -F sends it.", _ALONE)
    if _MARKUP.match(text):
        raise FileUnreadableError("The file is HTML or XML, not a table of partners.", _SAVE_AS)
    end = len(text.rstrip(f"\r\n\t {_CTRL_Z}"))
    return text[:end] if _CTRL_Z in text[end:] else text
