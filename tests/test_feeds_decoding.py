"""Content codings: right, bounded and strict about their ends."""

import bz2
import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.http.decoding import BodyDecoder, BodyTooLargeError, DecodingError, zstd

MEGABYTE = 1024 * 1024


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


CODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstd.compress),
]
each_coding = pytest.mark.parametrize(
    ("name", "pack"), CODINGS, ids=[f"{n}-{p.__name__}" for n, p in CODINGS]
)


def decode(name: str, data: bytes, *, step: int = 4096, limit: int = 10 * MEGABYTE) -> bytes:
    decoder = BodyDecoder(name, limit)
    for start in range(0, len(data), step):
        decoder.feed(data[start : start + step])
    return decoder.finish()


@each_coding
@settings(deadline=None)
@given(body=st.binary(max_size=2000), repeat=st.integers(1, 200), step=st.integers(1, 5000))
def test_what_was_packed_comes_back(
    name: str, pack: Callable[[bytes], bytes], body: bytes, repeat: int, step: int
) -> None:
    assert decode(name, pack(body * repeat), step=step) == body * repeat


@each_coding
@pytest.mark.parametrize("size", [65535, 65536, 65537, 131072, 196608])
def test_bodies_that_fill_whole_pieces_end_well(
    name: str, pack: Callable[[bytes], bytes], size: int
) -> None:
    body = bytes(size)
    assert decode(name, pack(body), step=MEGABYTE) == body
    assert decode(name, pack(body), step=1) == body


@settings(deadline=None)
@given(
    layers=st.lists(st.sampled_from(CODINGS), min_size=1, max_size=3),
    body=st.binary(max_size=500),
)
def test_nested_codings_are_undone_in_reverse(
    layers: list[tuple[str, Callable[[bytes], bytes]]], body: bytes
) -> None:
    data = body
    for _, pack in layers:
        data = pack(data)
    assert decode(", ".join(name for name, _ in layers), data) == body


@pytest.mark.parametrize("name", ["", "identity", "IDENTITY", "utf-8", "none", " , identity"])
def test_no_coding_is_the_body_itself(name: str) -> None:
    assert decode(name, b"plain") == b"plain"


@each_coding
def test_an_empty_body_needs_no_end_mark(name: str, pack: Callable[[bytes], bytes]) -> None:
    assert decode(name, b"") == b""
    assert decode(name, pack(b"")) == b""


@each_coding
def test_a_bomb_is_refused_before_it_unfolds(name: str, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(bytes(50 * MEGABYTE))
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLargeError, match="larger than 1048576 bytes"):
            decode(name, bomb, step=MEGABYTE, limit=MEGABYTE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * MEGABYTE


def test_a_nested_bomb_is_refused_before_it_unfolds() -> None:
    bomb = gzip.compress(gzip.compress(brotli.compress(bytes(200 * MEGABYTE), quality=5)))
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLargeError):
            decode("br, gzip, gzip", bomb, limit=MEGABYTE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * MEGABYTE


def test_bytes_that_decode_to_nothing_count_too() -> None:
    empty_block = b"\x00\x00\x00\xff\xff"
    decoder = BodyDecoder("deflate", 1000)
    for _ in range(200):
        decoder.feed(empty_block)
    with pytest.raises(BodyTooLargeError):
        decoder.feed(empty_block)


def test_an_inner_layer_that_decodes_to_nothing_counts_too() -> None:
    inner = b"\x00\x00\x00\xff\xff" * (10 * MEGABYTE // 5)
    with pytest.raises(BodyTooLargeError):
        decode("deflate, gzip", gzip.compress(inner), limit=MEGABYTE)


@each_coding
def test_a_body_of_just_the_allowed_size_passes(name: str, pack: Callable[[bytes], bytes]) -> None:
    assert len(decode(name, pack(bytes(5000)), limit=5000)) == 5000
    with pytest.raises(BodyTooLargeError):
        decode(name, pack(bytes(5001)), limit=5000)


@each_coding
def test_a_cut_stream_is_an_error(name: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"<rss>" + bytes(range(256)) * 20)
    for cut in (1, 2, len(packed) // 2, len(packed) - 1):
        with pytest.raises(DecodingError, match="cut short"):
            decode(name, packed[:cut])


@each_coding
def test_a_stream_that_is_not_what_it_says_is_an_error(
    name: str, pack: Callable[[bytes], bytes]
) -> None:
    del pack
    with pytest.raises(DecodingError):
        decode(name, b"<rss version='2.0'>" + bz2.compress(b"not that either") * 3)


@each_coding
def test_junk_after_the_end_is_ignored(name: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(b"feed") + b"\n\n<!-- cached -->" * 50
    for step in (1, 10_000):
        if name == "br":
            with pytest.raises(DecodingError):
                decode(name, packed, step=step)
        else:
            assert decode(name, packed, step=step) == b"feed"


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_streams_in_a_row_are_one_body(name: str, pack: Callable[[bytes], bytes]) -> None:
    packed = b"".join(pack(part) for part in (b"one ", b"", b"two ", b"three"))
    assert decode(name, packed, step=7) == b"one two three"
    assert decode(name, packed, step=10_000) == b"one two three"


@pytest.mark.parametrize(("name", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_thousands_of_streams_in_a_row_are_refused(
    name: str, pack: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(DecodingError, match="streams in a row"):
        decode(name, pack(b"") * 3000)


def test_a_cut_second_stream_is_an_error() -> None:
    with pytest.raises(DecodingError, match="cut short"):
        decode("gzip", gzip.compress(b"one") + gzip.compress(b"two")[:-3])


def test_a_zstd_window_beyond_the_rfc_is_refused() -> None:
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    packed = packer.compress(b"feed", zstd.ZstdCompressor.FLUSH_BLOCK) + packer.flush()
    assert zstd.decompress(packed) == b"feed"
    with pytest.raises(DecodingError, match="zstd"):
        decode("zstd", packed)


@pytest.mark.parametrize("name", ["compress", "bzip2", "gzip, nonsense", "x" * 5000])
def test_an_unknown_coding_is_named(name: str) -> None:
    with pytest.raises(DecodingError, match="unknown content coding") as error:
        BodyDecoder(name, 100)
    assert len(str(error.value)) < 120


def test_codings_without_end_are_refused() -> None:
    with pytest.raises(DecodingError, match="coded 200 times"):
        BodyDecoder(", ".join(["gzip"] * 200), 100)


@settings(deadline=None)
@given(name=st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br"]), data=st.binary())
def test_any_bytes_decode_or_fail_as_a_decoding_error(name: str, data: bytes) -> None:
    with contextlib.suppress(DecodingError, BodyTooLargeError):
        assert len(decode(name, data, step=5, limit=10_000)) <= 10_000
