"""What says that there is no value, in every way in: emptiness, and the words for it.

Scripts, templates and spreadsheets write a value that they do not have as a word: JavaScript's
`String(undefined)`, a formula that found nothing, a placeholder that was not filled in. To add a
word, add it here.
"""

import re
import unicodedata

# In lower case, as a value of their own.
_WORDS = frozenset(
    {
        # languages and their libraries
        "undefined", "null", "nil", "none", "nan", "nat", "<na>", "nothing", "\\n", "dbnull",
        # people
        "n/a", "na", "n.a.", "n.a", "n. a.", "n\\a", "n-a", "not applicable", "not available",
        "not provided", "not specified", "not set", "no value", "no data", "unset", "_no response_",
        "k.a.", "k. a.", "k.a", "keine angabe", "entfällt", "nicht zutreffend", "ohne angabe",
        "s.o.", "s. o.", "sans objet", "non renseigné", "no aplica", "sin datos", "no disponible",
        # C# and Java write an id that was never set so
        "00000000-0000-0000-0000-000000000000",
        # spreadsheets, where a formula found nothing
        "#n/a", "#na", "#nv",
    }
)  # fmt: skip
# Words that mean something by themselves, and nothing in brackets: "(blank)", "<empty>".
_BRACKETED = frozenset({"empty", "blank", "leer", "vide", "vacío", "unknown"})
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">", '"': '"', "'": "'", "`": "`"}
_SPREADSHEET_ERROR = re.compile(r"#[A-ZÀ-Þ¡¿0/_]+[!?]")
_PLACEHOLDER = re.compile(
    r"\{\{[^{}]*\}\}|[$#]\{[^{}]*\}|\$\([^()]*\)|<%[^<>]*%>|%[A-Z_]{2,}%|\[object [A-Z]\w*\]"
)
_MARKS = frozenset("_.·…?/\\*#-\u2010\u2011\u2012\u2013\u2014\u2015\u2212")  # and every dash
# Letters by their category, and nothing to be seen.
_UNSEEN = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_LONGEST = 128  # characters of a text that is looked at; what is longer says something


def is_blank(value: object) -> bool:
    """Whether a value of JSON, or a cell, says that there is none."""
    if isinstance(value, str):
        return says_nothing(value)
    return value is None or (isinstance(value, list | tuple | dict) and not value)


def says_nothing(text: str) -> bool:
    """Whether a text is empty, holds nothing to be seen, or is a word for no value."""
    if not any(map(_shows, text)):
        return True
    if len(text) > _LONGEST:
        return False
    # ASCII has no format characters, and nearly every value is ASCII.
    seen = text if text.isascii() else "".join(filter(_is_seen, text))
    return _is_word(seen.strip())


def _shows(character: str) -> bool:
    """Whether it can be seen by itself: no space, no mark on what is not there."""
    return unicodedata.category(character)[0] in "LNPS" and character not in _UNSEEN


def _is_seen(character: str) -> bool:
    return unicodedata.category(character) != "Cf" and character not in _UNSEEN


def _is_word(text: str) -> bool:
    folded = text.casefold()
    if folded in _WORDS or _MARKS.issuperset(text):
        return True
    if _SPREADSHEET_ERROR.fullmatch(text) or _PLACEHOLDER.fullmatch(text):
        return True
    inner = folded[1:-1].strip()
    if len(text) < len("()") or _BRACKETS.get(text[0]) != text[-1]:
        return False
    return not inner or inner in _WORDS or inner in _BRACKETED
