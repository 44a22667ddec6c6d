"""Extension modules without what only linkers and debuggers read: half of their bytes."""

import struct

MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian
SECTION_TABLE = struct.Struct("<Q")  # e_shoff, at 40
SECTION_COUNTS = struct.Struct("<HHH")  # e_shentsize, e_shnum, e_shstrndx, at 58
SEGMENT = struct.Struct("<IIQQQQQQ")


def cut(content: bytes) -> bytes:
    """Leave what the loader maps: the segments. Sections come after them, and say nothing to it.

    Source: "Tool Interface Standard: Executable and Linking Format", execution view.
    """
    if not content.startswith(MAGIC):
        return content
    (table,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    segments = [SEGMENT.unpack_from(content, table + index * size) for index in range(count)]
    end = max(
        table + size * count, *(offset + length for _, _, offset, _, _, length, *_ in segments)
    )
    kept = bytearray(content[:end])
    SECTION_TABLE.pack_into(kept, 40, 0)
    SECTION_COUNTS.pack_into(kept, 58, 0, 0, 0)
    return bytes(kept)
