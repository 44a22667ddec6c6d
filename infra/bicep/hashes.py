"""The two functions of Azure Resource Manager that make names, as it computes them.

Neither is published. The snapshots of the real engine (tests/infra/compiled) show that it is these.
"""

import uuid

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
_WORD = 0xFFFFFFFF
_FIRST, _SECOND = 0x239B961B, 0xAB0E9789


def guid(*texts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "-".join(texts)))


def unique_string(*texts: str) -> str:
    """Return 13 characters: 64 bits of a MurmurHash, five a character."""
    rest = _murmur("-".join(texts).encode())
    return "".join(_ALPHABET[rest << 5 * i >> 59 & 31] for i in range(13))


def _murmur(data: bytes) -> int:
    """MurmurHash3 with two words of 32 bits."""
    low = high = 0
    whole = len(data) - len(data) % 8
    for start in range(0, whole, 8):
        low ^= _mixed(data[start : start + 4], _FIRST, 15, _SECOND)
        low = ((_rotated(low, 19) + high) * 5 + 0x561CCD1B) & _WORD
        high ^= _mixed(data[start + 4 : start + 8], _SECOND, 17, _FIRST)
        high = ((_rotated(high, 13) + low) * 5 + 0x0BCAA747) & _WORD
    low ^= _mixed(data[whole : whole + 4], _FIRST, 15, _SECOND)
    high ^= _mixed(data[whole + 4 :], _SECOND, 17, _FIRST)
    low, high = _added(low ^ len(data), high ^ len(data))
    low, high = _added(_final(low), _final(high))
    return high << 32 | low


def _added(low: int, high: int) -> tuple[int, int]:
    low = (low + high) & _WORD
    return low, (high + low) & _WORD


def _mixed(part: bytes, first: int, bits: int, second: int) -> int:
    word = int.from_bytes(part, "little") * first & _WORD
    return _rotated(word, bits) * second & _WORD


def _final(word: int) -> int:
    word = (word ^ word >> 16) * 0x85EBCA6B & _WORD
    word = (word ^ word >> 13) * 0xC2B2AE35 & _WORD
    return word ^ word >> 16


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _WORD
