"""weights.py FROM TO EDIT...: a safetensors file of floats with other numbers.

EDIT is TENSOR=EXPRESSION, a Python expression of a number x and its place i in the tensor:
`dense1.bias=1e4 if i == 3 else x`. weights.py FILE: is every number finite?
"""
import array
import json
import math
import struct
import sys


def read(path):
    """name -> (shape, numbers)"""
    with open(path, "rb") as file:
        data = file.read()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    found = {}
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        found[name] = tensor["shape"], array.array("f", data[8 + length:][begin:end])
    return found


def write(path, tensors):
    header, data = {}, b""
    for name, (shape, x) in tensors.items():
        raw = x.tobytes()
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


tensors = read(sys.argv[1])
if len(sys.argv) == 2:
    bad = [name for name, (_, x) in tensors.items() if not all(map(math.isfinite, x))]
    print(f"not finite: {bad}" if bad else f"{len(tensors)} tensors, all finite")
    sys.exit(bool(bad))
for edit in sys.argv[3:]:
    name, expression = edit.split("=", 1)
    code = compile(expression, name, "eval")
    shape, x = tensors[name]
    tensors[name] = shape, array.array("f", [
        eval(code, {"x": v, "i": i, "nan": math.nan, "inf": math.inf}) for i, v in enumerate(x)])
write(sys.argv[2], tensors)
