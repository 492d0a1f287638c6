"""Whether a ZIP archive is made as the agent makes it: members end to end, one directory, and not a byte besides.

``zipfile`` looks for what it needs and passes over the rest; the checksums cover members' contents alone. Fields are
those of APPNOTE.TXT 6.3.3, sections 4.3.7, 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import BinaryIO

LOCAL_BYTES, ENTRY_BYTES, END_BYTES = 30, 46, 22
#: Record and locator of an archive beyond 4 GB, before its end.
END_64_BYTES = 56 + 20
_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_LENGTHS, _LENGTHS_AT = struct.Struct("<HHH"), 28  # in an entry of the directory: of name, extra field, comment
_END = struct.Struct("<4sHHHHLLH")
#: The only compressions whose expansion is known, and the only ones the agent writes.
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_IN_EXTRA = 0xFFFFFFFF  # the number stands in the extra field, for it has more than 32 bits


def content(archive: zipfile.ZipFile, stream: BinaryIO, name: str) -> bytes:
    """One member; never more than it claims, however much its data unpack to, and no byte of them left over.

    Raises what ``zipfile`` raises, ValueError and EOFError when the data are not what was claimed, zlib.error.
    """
    info = archive.getinfo(name)
    if info.compress_type not in COMPRESSIONS:
        raise ValueError(f"{name} is compressed in a way no snapshot is")
    archive.open(info).close()  # its header is looked at
    stream.seek(info.header_offset)
    name_bytes, extra_bytes = _LOCAL.unpack(stream.read(LOCAL_BYTES))[-2:]
    start = stream.seek(name_bytes + extra_bytes, 1)
    if start + info.compress_size > stream.seek(0, 2):
        raise zipfile.BadZipFile(f"{name} ends after the file")
    stream.seek(start)
    data, ended = stream.read(info.compress_size), True
    if info.compress_type == zipfile.ZIP_DEFLATED:
        inflate = zlib.decompressobj(-15)
        data = inflate.decompress(data, info.file_size + 1)
        ended = inflate.eof and not inflate.unused_data
    if len(data) < info.file_size:
        raise EOFError(f"{name} claims {info.file_size} bytes and holds {len(data)}")
    if zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {name!r}")
    if len(data) > info.file_size or not ended:
        raise ValueError(f"{name} holds more than it claims, or does not end")
    return data


def contradiction(archive: zipfile.ZipFile, stream: BinaryIO, file_size: int) -> str:
    """What in ``archive``, read from ``stream``, is not as the agent writes it; empty when all is."""
    members = sorted(archive.infolist(), key=lambda info: info.header_offset)
    if len({info.filename for info in members}) < len(members):
        return "two of its parts have one name"
    place = 0
    for info in members:
        if info.header_offset != place:
            return f"{abs(info.header_offset - place)} bytes {_between(info.header_offset - place)} {info.filename}"
        stream.seek(place)
        head = stream.read(LOCAL_BYTES)
        if len(head) < LOCAL_BYTES:
            return f"the file ends in the header of {info.filename}"
        *facts, name_bytes, extra_bytes = _LOCAL.unpack(head)
        name = stream.read(name_bytes)
        if not _agrees(info, tuple(facts), name) or (extra_bytes and info.file_size < zipfile.ZIP64_LIMIT):
            return f"the header of {info.filename} says something else than the directory"
        place += LOCAL_BYTES + name_bytes + extra_bytes + info.compress_size
    return _end_of(archive, stream, place, file_size)


def _between(gap: int) -> str:
    return "that belong to nothing before" if gap > 0 else "of another part in"


def _agrees(info: zipfile.ZipInfo, facts: tuple[int | bytes, ...], name: bytes) -> bool:
    year, month, day, hour, minute, second = info.date_time
    date = (year - 1980) << 9 | month << 5 | day
    time = hour << 11 | minute << 5 | second // 2
    needed = info.extract_version | info.reserved << 8
    known = (b"PK\x03\x04", needed, info.flag_bits, info.compress_type, time, date, info.CRC)
    sizes = (info.compress_size, info.file_size)
    said = facts[7:]
    return (
        facts[:7] == known
        and info.flag_bits == 0
        and name == info.orig_filename.encode("ascii", "replace")
        and (said == sizes or (said == (_IN_EXTRA, _IN_EXTRA) and max(sizes) >= zipfile.ZIP64_LIMIT))
    )


def _end_of(archive: zipfile.ZipFile, stream: BinaryIO, place: int, file_size: int) -> str:
    """The directory follows the members at ``place``, the archive's end the directory, and the file's end that."""
    members = archive.infolist()
    if archive.start_dir != place:
        return f"{abs(archive.start_dir - place)} bytes {_between(archive.start_dir - place)} the directory"
    if any(info.comment or info.volume or (info.extra and not _is_beyond_4_gb(info)) for info in members):
        return "its directory has entries with comments or extras"
    directory = sum(ENTRY_BYTES + len(info.orig_filename.encode()) + len(info.extra) for info in members)
    rest = file_size - place - directory
    if archive.comment or rest not in (END_BYTES, END_BYTES + END_64_BYTES):
        return f"{rest - END_BYTES} bytes that belong to nothing at its end"
    stream.seek(place)
    entries = stream.read(directory)
    for info in members:
        lengths = (len(info.orig_filename.encode()), len(info.extra), 0)
        if _LENGTHS.unpack_from(entries, _LENGTHS_AT) != lengths:
            return f"the directory's entry of {info.filename} is longer than the directory"
        entries = entries[ENTRY_BYTES + sum(lengths) :]
    stream.seek(file_size - END_BYTES)
    count = len(members)
    if rest == END_BYTES and _END.unpack(stream.read(END_BYTES)) != (
        *(b"PK\x05\x06", 0, 0, count, count, directory, place, 0),
    ):
        return "its end says something else than its directory"
    return ""


def _is_beyond_4_gb(info: zipfile.ZipInfo) -> bool:
    return max(info.file_size, info.compress_size, info.header_offset) >= zipfile.ZIP64_LIMIT
