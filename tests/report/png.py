"""png.py FILE WIDTH HEIGHT: is it a whole PNG of this size?"""
import struct
import sys
import zlib


def check_png(data):
    """Chunks with their CRCs, and as many pixels as the head says; returns the size."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, pixels, last = 8, b"", None
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        (crc,) = struct.unpack(">I", data[at + 8 + size:at + 12 + size])
        assert crc == zlib.crc32(kind + body), f"CRC of {kind}"
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            pixels += body
        at, last = at + 12 + size, kind
    assert last == b"IEND" and at == len(data), "cut off"
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    row = 1 + (width * samples * depth + 7) // 8
    assert len(zlib.decompress(pixels)) == row * height, "pixels"
    return width, height


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        found = check_png(file.read())
    sys.exit(found != (int(sys.argv[2]), int(sys.argv[3])) and f"it is {found}")
