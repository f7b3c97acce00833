"""Shared libraries of Linux without what nothing reads while a program runs; used by build.spec."""

from __future__ import annotations

import struct
from bisect import bisect_right
from fnmatch import fnmatchcase

_HEAD, _SEGMENT = struct.Struct("<16sHHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ")
_LOADED = 1
_PAGE = 0x10000
"""The largest of a machine's pages: what is loaded need not be further apart in the file."""
_MAGIC, _ENTRY = b"\xda\x27", struct.Struct("<II")


class NotForUs(ValueError):
    """The bytes are no library of 64 bits, or are made in a way that is not known here."""


def compacted(library: bytes) -> bytes:
    """A library with what the system loads of it alone: no symbols for debuggers, no sections.

    `strip` does it too, but lays the segments of a library that was changed for a wheel where they
    can not be loaded. Here each keeps its address, and its place in the file is as far from a
    page's beginning as that address is.

    Raises
    ------
    NotForUs
        When it is no such library.
    """
    if library[:6] != b"\x7fELF\x02\x01":
        raise NotForUs("no ELF of 64 bits, little-endian")
    head = list(_HEAD.unpack_from(library))
    table, count = head[5], head[10]
    segments = [list(_SEGMENT.unpack_from(library, table + at * 56)) for at in range(count)]
    made, moved = bytearray(), []
    for segment in sorted((s for s in segments if s[0] == _LOADED), key=lambda s: s[2]):
        _, _, place, address, _, length, _, alignment = segment
        segment[7] = alignment = min(alignment, _PAGE)
        made += bytes((address - len(made)) % alignment)
        moved.append((place, length, len(made)))
        made += library[place : place + length]
    if not moved or moved[0][:1] != (0,):
        raise NotForUs("its head is not loaded")

    def new(place: int, length: int) -> int:
        for old, room, now in moved:
            if old <= place and place + length <= old + room:
                return place - old + now
        raise NotForUs("what is used at work is not loaded")

    for segment in segments:
        if segment[5]:
            segment[2] = new(segment[2], segment[5])
        else:
            segment[2] = segment[3] % segment[7] if segment[0] == _LOADED else 0
    head[5], head[6], head[11:14] = new(table, count * 56), 0, [0, 0, 0]
    _HEAD.pack_into(made, 0, *head)
    for at, segment in enumerate(segments):
        _SEGMENT.pack_into(made, head[5] + at * 56, *segment)
    return bytes(made)


def with_data(library: bytes, wanted: tuple[str, ...]) -> bytes:
    """ICU's library of data, `libicudata`, with some of its items alone.

    Parameters
    ----------
    library
        As it was built: the data stand at the end of its first segment.
    wanted
        Patterns of the items' names, without the package's: "coll/root.res".

    Raises
    ------
    NotForUs
        When it is no such library.
    """
    mark = library.find(_MAGIC, 0, 1 << 16)
    if mark < 0 or library[mark + 10 : mark + 14] != b"CmnD":
        raise NotForUs("no data of ICU")
    begin = mark - 2
    toc = begin + int.from_bytes(library[begin : begin + 2], "little")
    segment = next(
        at for at in range(64, 64 + 56 * 16, 56) if _SEGMENT.unpack_from(library, at)[0] == _LOADED
    )
    end = _SEGMENT.unpack_from(library, segment)[5]
    kept = [item for item in _items(library[toc:end]) if _is_wanted(item[0], wanted)]
    data = _packed(kept)
    made = bytearray(library)
    made[toc : toc + len(data)] = data
    fields = list(_SEGMENT.unpack_from(library, segment))
    fields[5] = fields[6] = toc + len(data)
    _SEGMENT.pack_into(made, segment, *fields)
    return compacted(bytes(made))


def _is_wanted(name: bytes, wanted: tuple[str, ...]) -> bool:
    short = name.decode().partition("/")[2]
    return any(fnmatchcase(short, pattern) for pattern in wanted)


def _items(toc: bytes) -> list[tuple[bytes, bytes]]:
    """Names and contents, by the table in front: a number, then where name and content begin."""
    (count,) = struct.unpack_from("<I", toc)
    entries = [_ENTRY.unpack_from(toc, 4 + 8 * at) for at in range(count)]
    begins = sorted(begin for _, begin in entries)
    ends = [*begins[1:], len(toc)]
    names = [toc[name : toc.index(b"\0", name)] for name, _ in entries]
    return [
        (name, toc[begin : ends[bisect_right(begins, begin) - 1]])
        for name, (_, begin) in zip(names, entries, strict=True)
    ]


def _packed(items: list[tuple[bytes, bytes]]) -> bytes:
    """The table and the items in its order, each begun at a multiple of 16."""
    names, contents, entries = bytearray(), bytearray(), []
    first = 4 + 8 * len(items)
    start = -(-(first + sum(len(name) + 1 for name, _ in items)) // 16) * 16
    for name, content in items:
        entries.append((first + len(names), start + len(contents)))
        names += name + b"\0"
        contents += content + bytes(-len(content) % 16)
    table = struct.pack("<I", len(items)) + b"".join(_ENTRY.pack(*entry) for entry in entries)
    return bytes((table + names).ljust(start, b"\0") + contents)
