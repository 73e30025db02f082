#!/usr/bin/env python3
"""Writes the hostile data files beside it: FOLDER/NAME, one folder per loader.

Each must be refused with a message, but those whose name begins with "ok-", which are
odd but valid. tests/unit/test_hostile.c reads them all. A file that once broke a loader
is added by hand and never removed; the names made here are numbered by their list.
"""
import gzip, json, os, struct, zlib

HERE = os.path.dirname(os.path.abspath(__file__))


def put(folder, name, data):
    os.makedirs(os.path.join(HERE, folder), exist_ok=True)
    with open(os.path.join(HERE, folder, name), "wb") as f:
        f.write(data)


def put_all(folder, cases):
    for number, (name, data) in enumerate(cases):
        plain = not name.startswith("ok-")
        put(folder, f"{number:02d}-{name}" if plain else f"ok-{number:02d}-{name[3:]}", data)


def foreign():
    """Other people's files, for every loader."""
    return [("empty", b""), ("nul", b"\0"), ("html", b"<!DOCTYPE html><html>404</html>"),
            ("gif", b"GIF89a\1\0\1\0"), ("jpeg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
            ("zip", b"PK\3\4" + bytes(30)), ("xz", b"\xfd7zXZ\0"), ("elf", b"\x7fELF\2\1\1"),
            ("pickle", b"\x80\4}q\0."), ("lfs", b"version https://git-lfs.github.com/spec/v1\n"),
            ("ff", b"\xff" * 64), ("zeros", bytes(64)), ("gzip-only", b"\x1f\x8b"),
            ("gzip-head", b"\x1f\x8b\x08\0\0\0\0\0\0\3"), ("gzip-flags", b"\x1f\x8b\x08\xff" + bytes(9)),
            ("gzip-empty", gzip.compress(b"", mtime=0)),
            ("gzip-twice", gzip.compress(gzip.compress(b"x" * 50, mtime=0), mtime=0))]


def cuts(good, step):
    """good cut short, and with a byte more."""
    return [(f"cut-{n}", good[:n]) for n in range(1, len(good), step)] + [("longer", good + b"\0")]


def gzips(good):
    z = gzip.compress(good, mtime=0)
    flip = lambda at: z[:at] + bytes([z[at] ^ 0x41]) + z[at + 1:]
    return [("gzip-cut", z[:-9]), ("gzip-no-crc", z[:-8]), ("gzip-half-crc", z[:-5]),
            ("gzip-crc", flip(len(z) - 8)), ("gzip-length", flip(len(z) - 1)),
            ("gzip-method", flip(2)), ("gzip-body", flip(len(z) // 2)),
            ("gzip-more", gzip.compress(good + b"\0", mtime=0)),
            ("ok-gzip", z), ("ok-gzip-garbage", z + b"garbage"),
            ("ok-gzip-members", gzip.compress(good[:20], mtime=0) + gzip.compress(good[20:], mtime=0))]


def idx(*dims, kind=8, data=None):
    n = 1
    for d in dims:
        n *= d
    return bytes([0, 0, kind, len(dims)]) + b"".join(struct.pack(">I", d) for d in dims) + \
        (bytes(i % 251 for i in range(n)) if data is None else data)


def make_idx():
    good = idx(3, 4, 5)
    big = [0xffffffff, 0x80000000, 0x7fffffff, 1 << 24, (1 << 24) + 1, 65536]
    cases = foreign() + cuts(good, 7) + gzips(good) + [("ok-rank1", idx(7)), ("ok-rank4", idx(1, 2, 3, 4))]
    cases += [(f"type-{k:02x}", idx(3, 4, 5, kind=k)) for k in (0, 7, 9, 11, 12, 13, 14, 255)]
    cases += [(f"rank-{r}", bytes([0, 0, 8, r]) + bytes([0, 0, 0, 1] * r) + b"x") for r in (0, 5, 8, 255)]
    cases += [(f"big-{d:x}-{at}", idx(*[d if i == at else 3 for i in range(3)], data=b"abc"))
              for d in big for at in range(3)]
    cases += [("all-max", idx(*[0xffffffff] * 4, data=b"")), ("wrap", idx(65536, 65536, 65536, 65536, data=b"")),
              ("zero-count", idx(0, 28, 28)), ("zero-width", idx(3, 28, 0)), ("little-endian",
               b"\3\x08\0\0" + struct.pack("<III", 3, 4, 5) + bytes(60)),
              ("gzip-bomb", gzip.compress(idx(1 << 20, 1 << 4, 1 << 4, data=bytes(1 << 16)), mtime=0))]
    put_all("idx", cases)


def npy(descr="'<f4'", fortran="False", shape="(2, 3)", data=bytes(24), version=1, head=None, length=None):
    text = (head or f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n").encode("latin-1")
    n = len(text) if length is None else length
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", n) + text + data


def make_npy():
    good = npy()
    shapes = ["(2, 3", "2, 3)", "()()", "(2,, 3)", "(-2, 3)", "(2, 3.0)", "(2, 'a')", "(0x2, 3)", "(2 3)", "[2, 3]",
              "None", "", "(99999999999999999999, 1)", "(4294967296, 4294967296)", "(2, 3, 1, 1, 1, 1, 1, 1, 1)",
              "(68719476737,)", "(1000000000,)", "(2, 4)", "(2, 2)", "(", "(,)"]
    descrs = ["'<f2'", "'<f16'", "'<c8'", "'|O'", "'<U4'", "'|S3'", "'<M8[ns]'", "'f4'", "'xf4'", "''", "'<f4", "<f4",
              "[('a', '<f4')]", "None", "'<f0'", "'<f9'", "'<u3'", "'|b2'", "'<f4" + "x" * 40 + "'"]
    cases = foreign() + cuts(good, 13) + gzips(good)
    cases += [("shape", npy(shape=s)) for s in shapes] + [("descr", npy(descr=d)) for d in descrs]
    cases += [("fortran", npy(fortran="True")), ("fortran-other", npy(fortran="1")),
              ("version-0", npy(version=0)), ("version-4", npy(version=4)), ("ok-version-2", npy(version=2)),
              ("ok-version-3", npy(version=3)), ("no-dict", npy(head="\n")), ("nul-dict", npy(head="{'descr': \0'<f4'}")),
              ("keys-only", npy(head="'descr''fortran_order''shape'")), ("long-header", npy(length=65535)),
              ("huge-header", npy(version=2, length=0xffffffff)), ("u64", npy("'<u8'", shape="(1,)", data=b"\xff" * 8)),
              ("ok-scalar", npy(shape="()", data=bytes(4))), ("ok-no-numbers", npy(shape="(0, 3)", data=b"")),
              ("ok-double-quotes", npy(head='{"descr": "<f4", "fortran_order": False, "shape": (2, 3)}'))]
    put_all("npy", cases)


def st(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def t(begin, end, shape=(2,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def make_safetensors():
    good = st({"a": t(0, 8)}, bytes(8))
    cases = foreign() + cuts(good, 9) + gzips(good)
    cases += [("length", st({"a": t(0, 8)}, bytes(8), n)) for n in
              (0, 1, 2, 8, 100, 1 << 24, (1 << 24) + 1, 1 << 31, 1 << 32, 1 << 63, (1 << 64) - 8, (1 << 64) - 1)]
    cases += [("offsets", st({"a": {"dtype": "F32", "shape": [2], "data_offsets": o}}, bytes(8))) for o in
              ([], [0], [0, 8, 8], [8, 0], [-8, 0], [0, 9], [1, 9], [0, 7], [0.0, 8.0], ["0", "8"], None, {"0": 0},
               [[0], [8]], [True, 8], [0, 1 << 62], [(1 << 63) - 1, (1 << 63) - 1])]
    cases += [("shape", st({"a": t(0, 8, s)}, bytes(8))) for s in
              ((), (1,), (3,), (-2,), (-1, -2), (2, 0), (1 << 62, 4), (1 << 32, 1 << 32), (2,) * 9, ("2",), (2.0,), (None,))]
    cases += [("dtype", st({"a": t(0, 8, (2,), d)}, bytes(8))) for d in
              ("", "f32", "F31", "F32 ", "F64", "F8_E4M3", "C64", None, 32, ["F32"], "F" * 5000)]
    cases += [("pair", st({"a": t(*a), "b": t(*b)}, bytes(n))) for a, b, n in
              (((0, 8), (0, 8), 8), ((0, 8), (4, 12), 12), ((0, 8), (12, 20), 20), ((8, 16), (16, 24), 24),
               ((0, 8), (8, 16), 15), ((0, 8), (8, 16), 17), ((0, 8), (8, 16), 0))]
    cases += [("entry", st({"a": v}, bytes(8))) for v in (None, 1, "x", [], {}, True)]
    cases += [("metadata", st({"__metadata__": v, "a": t(0, 8)}, bytes(8))) for v in
              (None, [], "x", {"a": 1}, {"a": None}, {"a": {}}, {"crc32": "00000000"}, {"crc32": ""}, {"crc32": "x" * 9999})]
    cases += [("json", st(j, bytes(8))) for j in
              (b"{", b"}", b"{]", b"[]", b'"a"', b"{}{}", b"{\"a\":}", b'{"a":1,}', b"{'a':1}", b'{"\xff":{}}', b'{"\\u0000":{}}',
               b'{"\\ud800":{}}', b"{" * 5000, b'{"a":' * 5000, b'{"a":' + b"[" * 5000, b'{"a":1e999}', b"{\0}")]
    one = json.dumps(t(0, 8)).encode()
    cases += [("twice", st(b'{"a":' + one + b',"a":' + one + b"}", bytes(8))),
              ("twice-metadata", st(b'{"__metadata__":{},"__metadata__":{}}')),
              ("twice-dtype", st(b'{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8))),
              ("escape-name", st({"\x1b[2J\r\n" + "n" * 300: t(0, 9)}, bytes(8))),
              ("ok-empty", st({})), ("ok-spaces", st(b"{}          ")), ("ok-no-numbers", st({"a": t(0, 0, (0,))})),
              ("ok-scalar", st({"a": t(0, 4, ())}, bytes(4))), ("ok-turned", st({"b": t(8, 16), "a": t(0, 8)}, bytes(16)))]
    put_all("safetensors", cases)


def chunk(kind, data, crc=None):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if crc is None else crc)


SIGN = b"\x89PNG\r\n\x1a\n"


def png(width=3, height=2, depth=8, colour=0, lace=0, rows=None, extra=b"", compress=0, filters=0):
    head = struct.pack(">IIBBBBB", width, height, depth, colour, compress, filters, lace)
    rows = b"".join(b"\0" + bytes([10 * y + x for x in range(3)]) for y in range(2)) if rows is None else rows
    return SIGN + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make_png():
    good = png()
    cases = foreign() + [c for c in cuts(good, 5) if c[0] != "longer"]
    cases += [("size", png(w, h)) for w, h in ((0, 2), (3, 0), (2, 3), (16384, 16384), (16385, 1), (1 << 31, 1),
                                               ((1 << 31) - 1, (1 << 31) - 1), (0xffffffff, 0xffffffff), (3, 1000000))]
    cases += [("kind", png(depth=d, colour=c)) for d, c in ((0, 0), (3, 0), (32, 0), (8, 1), (8, 5), (8, 7), (4, 2), (16, 3), (8, 255))]
    cases += [("lace", png(lace=2)), ("compress", png(compress=1)), ("filter", png(filters=1)),
              ("rows-short", png(rows=b"\0abc\0")), ("row-filter", png(rows=b"\x09abc\x09abc")),
              ("no-palette", png(colour=3)), ("palette-odd", png(colour=3, extra=chunk(b"PLTE", bytes(4)))),
              ("palette-big", png(colour=3, extra=chunk(b"PLTE", bytes(3 * 257)))),
              ("no-idat", SIGN + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0)) + chunk(b"IEND", b"")),
              ("idat-first", SIGN + chunk(b"IDAT", zlib.compress(bytes(8)))),
              ("idat-garbage", SIGN + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0)) + chunk(b"IDAT", b"garbage") + chunk(b"IEND", b"")),
              ("head-crc", SIGN + chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 8, 0, 0, 0, 0), 0) + good[33:]),
              ("head-twice", SIGN + good[8:33] + good[8:]), ("head-short", SIGN + chunk(b"IHDR", bytes(12)) + good[33:]),
              ("chunk-length", good[:33] + b"\xff\xff\xff\xff" + good[37:]), ("unknown-critical", png(extra=chunk(b"ABCD", b"x"))),
              ("ok-text", png(extra=chunk(b"tEXt", b"Comment\0%n%n"))), ("ok-longer", good + b"\0"),
              ("ok-ztxt-bomb", png(extra=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(9 << 20))))),
              ("ok-bits", png(depth=1, rows=b"\0\xa0\0\x40")), ("ok-laced", png(lace=1, rows=b"\0a\0b\0c\0def")),
              ("ok-deep", png(depth=16, rows=b"\0abcdef\0ghijkl")), ("ok-rgb-trns", png(colour=2, rows=b"\0" + bytes(9) + b"\0" + bytes(9), extra=chunk(b"tRNS", bytes(6)))),
              ("ok-palette", png(colour=3, rows=b"\0\0\1\0\0\1\0\1", extra=chunk(b"PLTE", b"abcdef"))),
              ("palette-index-ok-", png(colour=3, rows=b"\0\0\1", extra=chunk(b"PLTE", b"abc")))]
    put_all("png", cases)


def make_csv():
    texts = ["\n", "a,b\n", "1\n2\n", "1,2,0\n3,4\n", "1,2,0\n3,4,5,6\n", "1,2,0\n,,\n", "1,2,0\nnan,1,0\n", "1,2,0\ninf,1,0\n", "1,2,0\n1e999,1,0\n",
             "1,2,0\n0x1p3,1,0\n", "1,2,0\n1.2.3,1,0\n", "1,2,0\n--1,1,0\n", "1,2,0\n1 2,1,0\n", "1,2,0\n\"1,1,0\n", "1,2,0\n1;2;0\n",
             "0.5,0.5\n", "label,a\n-1,2\n", "label,a\n1.5,2\n", "label,a\n65536,2\n", "a,label\n1,1e9\n", "1,2,0\n%n%n,1,0\n", "1,2,0\n\x1b[2J,1,0\n",
             "a,b,c", ",,,\n,,,\n", "\n\n\n", "1,2,0\n1,2,zero\n"]
    cases = foreign() + [("text", x.encode("latin-1")) for x in texts]
    cases += [("nul", b"1,2,0\n1,\0,0\n"), ("nul-end", b"1,2,0\n1,2,0\0\n"), ("utf16", "1,2,0\n".encode("utf-16")),
              ("bom-only", b"\xef\xbb\xbf"), ("gzip-cut", gzip.compress(b"1,2,0\n" * 50, mtime=0)[:-8]),
              ("ok-crlf-bom", b"\xef\xbb\xbfa,b,label\r\n1,2,0\r\n\r\n3,4,1\r\n"), ("ok-gzip", gzip.compress(b"1,2,0\n", mtime=0)),
              ("ok-no-newline", b"1,2,0"), ("label-where", b"1,0.5\n0,0.25\n"), ("ok-cr-blank", b"1,2,0\n   \r\n1,2,0\n")]
    put_all("csv", cases)


def make_cifar10():
    good = bytes([3]) + bytes(3072)
    cases = foreign() + [("short", good[:-1]), ("longer", good + b"\0"), ("label", bytes([10]) + good[1:]), ("label-second", good + bytes([255]) + good[1:]),
                         ("gzip-cut", gzip.compress(good, mtime=0)[:-8]), ("ok-one", good), ("ok-gzip", gzip.compress(good + good, mtime=0))]
    put_all("cifar10", [c for c in cases if not c[0].startswith("ok") or len(c[1])])


for make in (make_idx, make_npy, make_safetensors, make_png, make_csv, make_cifar10):
    make()
