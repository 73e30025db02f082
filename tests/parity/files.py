"""The files that both sides read: safetensors, IDX and .nn in normal form."""
import gzip
import json
import re
import struct

import numpy as np

DTYPES = {"F32": "<f4", "F64": "<f8"}


def read_tensors(path):
    """A safetensors file as a dict of float64 arrays."""
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] not in DTYPES:
            continue
        start, end = (8 + size + i for i in entry["data_offsets"])
        flat = np.frombuffer(data[start:end], DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"]).astype(np.float64)
    return tensors


def read_idx(path):
    """An IDX file of bytes."""
    with gzip.open(path) as f:
        data = f.read()
    rank = data[3]
    shape = struct.unpack(">%dI" % rank, data[4:4 + 4 * rank])
    return np.frombuffer(data[4 + 4 * rank:], np.uint8).reshape(shape)


def write_idx(path, array):
    with gzip.open(path, "wb", 1) as f:
        f.write(bytes([0, 0, 8, array.ndim]) + struct.pack(">%dI" % array.ndim, *array.shape))
        f.write(np.ascontiguousarray(array, np.uint8).tobytes())


def read_statement(text):
    """(name, positional arguments, keyed arguments): all of them strings."""
    words = re.findall(r'(?:[^\s"]|"[^"]*")+', text)
    keys = dict(w.split("=", 1) for w in words[1:] if "=" in w and w[0] != '"')
    return words[0], [w for w in words[1:] if "=" not in w], keys


def read_model(text):
    """The layers of a model in normal form, and the settings of a run of it."""
    layers, settings = [], {}
    section = None
    for line in text.splitlines():
        line = line.strip()
        if line.endswith("{"):
            section = line.split()[0]
        elif line == "}":
            section = None
        elif line:
            name, args, keys = read_statement(line.rstrip(";"))
            if section == "tune":
                continue
            if section:
                settings[name] = (args, keys)
            elif name not in ("data", "expect"):
                layers.append((name, args, keys))
    return layers, settings
