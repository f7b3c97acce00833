"""Files as hypothesis thinks of them: arbitrary, nearly valid, and valid but for a few bytes."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.fuzzing.readers.reader import Reader

_NUMBERS = st.sampled_from([0, 1, 2, 3, 8, 32, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63, -1])
_WORDS = st.sampled_from(
    [b"\0", b"\xff" * 4, b"\xff" * 8, b"[" * 2_000, b'{"a":' * 2_000, b"NaN", b"1e999", b"-1"]
    + [struct.pack(end + kind, 2**31 - 1) for end in "<>" for kind in "IQ"]
)


@st.composite
def _mutated(draw: st.DrawFn, reader: Reader) -> bytes:
    """A valid file with some of it cut out, doubled, replaced or changed."""
    content = bytearray(draw(st.sampled_from(reader.seeds())))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = draw(st.integers(0, 40))
        match draw(st.sampled_from(["cut", "flip", "put", "double", "drop"])):
            case "cut":
                del content[at:]
            case "flip" if content:
                content[at] = draw(st.integers(0, 255))
            case "put":
                content[at : at + length] = draw(st.binary(max_size=12) | _WORDS)
            case "double":
                content[at:at] = content[at : at + length]
            case _:
                del content[at : at + length]
    return bytes(content)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | _NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner,
                                                                max_size=4),
    max_leaves=12,
)  # fmt: skip


@st.composite
def _json(draw: st.DrawFn, reader: Reader) -> bytes:
    """Valid JSON, with other values at some places."""
    value = json.loads(draw(st.sampled_from(reader.seeds())) or b"{}")
    for _ in range(draw(st.integers(1, 3))):
        part = value
        while isinstance(part, dict) and part:
            key = draw(st.sampled_from(sorted(part)))
            if isinstance(part[key], dict) and draw(st.booleans()):
                part = part[key]
                continue
            part[key] = draw(_JSON)
            break
    return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def _npy(draw: st.DrawFn) -> bytes:
    """A header that promises this or that."""
    kind = draw(st.sampled_from(["|u1", "<f4", ">i8", "|O", "<U9", "|V0", "<f2", "<c8", "u1, <f4"]))
    shape = tuple(draw(st.lists(_NUMBERS, max_size=5)))
    order = draw(st.sampled_from(["True", "False", "0", "'x'"]))
    text = f"{{'descr': {kind!r}, 'fortran_order': {order}, 'shape': {shape!r}, }}"
    text = draw(st.sampled_from([text, text + " " * 50, "(" * 3000, "{" + text, text * 3, "1L"]))
    version = draw(st.sampled_from([(1, 0), (2, 0), (3, 0), (9, 9)]))
    length = draw(st.just(len(text)) | _NUMBERS.filter(lambda n: n >= 0))
    if version == (1, 0):
        head = struct.pack("<H", length % 2**16)
    else:
        head = struct.pack("<I", length % 2**32)
    body = draw(st.binary(max_size=200))
    return b"\x93NUMPY" + bytes(version) + head + text.encode("latin1") + body


@st.composite
def _idx(draw: st.DrawFn) -> bytes:
    sizes = draw(st.lists(_NUMBERS.filter(lambda n: 0 <= n < 2**32), max_size=5))
    kind = draw(st.sampled_from([8, 9, 11, 13, 14, 0, 255]))
    head = bytes([0, 0, kind, len(sizes)]) + b"".join(struct.pack(">I", n) for n in sizes)
    return head + draw(st.binary(max_size=200))


_TOLD = st.sampled_from(
    ["[" * 9_000, "Infinity", "NaN", "{}", "-1", "", '{"step": 1e999, "seconds": 1}',
     '{"step": -1, "seconds": -1}', '{"step": Infinity, "seconds": NaN}']
)  # fmt: skip
_KINDS = st.sampled_from(["U8", "F32", "F64", "BF16", "F8_E5M2", "I64", "C64", "BOOL", 7])


@st.composite
def _safetensors(draw: st.DrawFn, reader: Reader) -> bytes:
    """The header of a valid one, with another kind, shape or place of some tensor."""
    content = draw(st.sampled_from(reader.seeds()))
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    for key in sorted(header):
        entry = header[key]
        if key == "__metadata__":
            if draw(st.booleans()):
                name = draw(st.sampled_from(sorted(entry)))
                entry[name] = draw(_TOLD)
        elif draw(st.integers(0, 3)) == 0:
            entry["dtype"] = draw(_KINDS)
            entry["shape"] = draw(st.lists(_NUMBERS, max_size=4))
            begin = draw(_NUMBERS)
            entry["data_offsets"] = [begin, draw(_NUMBERS)]
    text = json.dumps(header).encode()
    told = draw(st.just(len(text)) | _NUMBERS.filter(lambda n: n >= 0))
    return struct.pack("<Q", told) + text + content[8 + length :]


_PLACES = st.sampled_from(
    ["mine/config.json", "config.json", "../out.json", "/tmp/out.json", "mine/../../out.json",
     "mine\\out.json", "C:/out.json", "mine/con.json", "mine/a.json/b.json", "mine/a.json",
     "mine/checkpoints/00000005/model.safetensors", "images.npy", "labels.npy", "mine/",
     "x" * 300, "mine/\u202e.json", "mine/.hidden.json"]
)  # fmt: skip


@st.composite
def _zip(draw: st.DrawFn, reader: Reader) -> bytes:
    """Members of a valid one, some of them elsewhere, twice, links, or packed another way."""
    files: list[tuple[str, bytes]] = []
    with zipfile.ZipFile(io.BytesIO(draw(st.sampled_from(reader.seeds())))) as valid:
        files += [(name, valid.read(name)) for name in valid.namelist()]
    for _ in range(draw(st.integers(0, 3))):
        held = draw(st.binary(max_size=50) | st.sampled_from([held for _, held in files]))
        files.append((draw(_PLACES), held))
    content = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(content, "w") as archive:
        warnings.simplefilter("ignore")  # that a name is there twice: so it is meant
        for name, held in files:
            info = zipfile.ZipInfo(name)
            info.external_attr = draw(st.sampled_from([0, 0, 0o100644 << 16, 0o120777 << 16]))
            archive.writestr(info, held, draw(st.sampled_from([0, 8, 8, 12, 14])))
    packed = bytearray(content.getvalue())
    if draw(st.booleans()):
        packed[draw(st.integers(0, len(packed) - 1))] ^= draw(st.integers(1, 255))
    return bytes(packed)


def files(reader: Reader) -> st.SearchStrategy[bytes]:
    """What is tried on a reader."""
    kinds = [st.binary(max_size=300), _mutated(reader), _mutated(reader)]
    ending = reader.file.rpartition(".")[2]
    if ending == "json":
        kinds += [_json(reader), _json(reader)]
    elif ending == "npy" or reader.name == "npz-member":
        kinds += [_npy(), _npy()]
    elif ending == "idx":
        kinds += [_idx()]
    elif ending == "safetensors":
        kinds += [_safetensors(reader), _safetensors(reader)]
    elif ending in {"zip", "npz"}:
        kinds += [_zip(reader), _zip(reader)]
    return st.one_of(kinds)
