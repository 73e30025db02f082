"""What the scripts of this part share: runs of a built program, and their folders."""
import json
import os
import shutil
import struct
import subprocess
import sys
import zlib

FILES = ["last.safetensors", "best.safetensors", "curves.svg", "curves.png"]
HISTORIES = ["history.csv", "history.jsonl"]
passed = failed = 0


def check(good, name, *details):
    """Counts a test; says what was found where it failed."""
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("FAIL", name, *details)
    return good


def finish():
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


class Program:
    """A built program, its data and the options that all its runs have."""

    def __init__(self, path, data, *options):
        self.command = [os.path.abspath(path), "train", "--data", os.path.abspath(data),
                        "--threads", "1", *options]

    def arguments(self, folder, *options, plot=False):
        return self.command + ["--out", folder, *([] if plot else ["--no-plot"]), *options]

    def train(self, folder, *options, prefix=(), cwd=None, env=None, plot=False):
        return subprocess.run([*prefix, *self.arguments(folder, *options, plot=plot)], cwd=cwd,
                              env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=300)


def metadata(path):
    """The metadata of a safetensors file of which every CRC is right, or None."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + length])
    except (OSError, ValueError, struct.error):
        return None
    data, found = data[8 + length:], header.pop("__metadata__")
    if f"{zlib.crc32(data):08x}" != found["crc32"]:
        return None
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        if f"{zlib.crc32(data[begin:end]):08x}" != found["crc32:" + name]:
            return None
    return found


def epoch(folder, name="last.safetensors"):
    """How many epochs its checkpoint has; None: there is none, or it is damaged."""
    found = metadata(os.path.join(folder, name))
    return int(found["epoch"]) if found else None


def history(path):
    """A history without the times, the only column that may differ."""
    with open(path) as file:
        lines = file.read().splitlines()
    if path.endswith(".csv"):
        return [line.rsplit(",", 1)[0] for line in lines]
    return [line.rsplit(", \"seconds\"", 1)[0] for line in lines]


def difference(one, two):
    """What differs between two runs that should be the same, or None."""
    names = [sorted(n for n in os.listdir(f) if "~" not in n) for f in (one, two)]
    if names[0] != names[1]:
        return f"files {names[0]} and {names[1]}"
    for name in names[0]:
        a, b = os.path.join(one, name), os.path.join(two, name)
        if name in HISTORIES and history(a) != history(b):
            return name
        if name in FILES:
            with open(a, "rb") as x, open(b, "rb") as y:
                if x.read() != y.read():
                    return name
    return None


def copy(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
