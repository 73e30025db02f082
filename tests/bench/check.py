"""
What the tests of the benchmark check: the form of its reports, and that every case is one
which the peers understand. usage: check.py report FILE ROWS | markdown FILE | cases NNC |
placement
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import cases
import net
import placement

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def figure(found, rounds):
    assert len(found["us"]) == rounds, found
    assert 0 < found["min"] <= found["median"] <= found["max"], found


def report(path, count):
    with open(path) as f:
        found = json.load(f)
    assert found["machine"]["cpu"] and found["machine"]["date"] and found["nnc"]
    assert len(found["rows"]) == int(count), "%d rows" % len(found["rows"])
    for row in found["rows"]:
        figure(row["ours"], found["rounds"])
        assert row["ours"]["threads"] >= 1 and row["ours"]["peak_gflops"] >= 0
        assert set(row["peers"]) == set(found["peers"])
        for peer in row["peers"].values():
            figure(peer, found["rounds"])
            assert peer["setting"] in peer["settings"]
            ratio = peer["median"] / row["ours"]["median"]
            assert abs(peer["ratio"] - ratio) < 1e-9 * ratio
        assert row["far_turns"] >= 0
        assert row["holds"] in ((True, False) if row["peers"] and row["need"] else (None,))
    json.dumps(found, allow_nan=False)


def markdown(path):
    """Every table has a rule below its heads, and the same columns everywhere."""
    with open(path) as f:
        text = f.read()
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.M)
    assert len(tables) >= 3, text
    for table in tables:
        lines = table.splitlines()
        assert len(lines) > 2 and re.fullmatch(r"[| :-]+", lines[1]), table
        assert len({line.count("|") for line in lines}) == 1, table


def parameters(layers):
    total = 0
    for layer in layers:
        if layer["kind"] in ("dense", "conv"):
            h, w = layer.get("window", (1, 1))
            total += layer["outputs"] * (h * w * layer["inputs"] + layer["bias"])
    return total


def every_case(nnc):
    """The description for the peers has as many parameters as nnc counts."""
    def run(*args):
        done = subprocess.run((nnc,) + args, stdout=subprocess.PIPE, text=True)
        assert done.returncode == 0, args
        return done.stdout

    known = cases.standard(ROOT) + cases.scaling(ROOT)
    assert len({case.name for case in known}) == len(known)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "case.nn")
        for case in known:
            model = case.model
            if "\n" in model:
                with open(path, "w") as f:
                    f.write(model)
                model = path
            text = net.retrain(run("--emit=nn", model, "-o", "-"), case.batch, case.optimizer)
            with open(path, "w") as f:
                f.write(text)
            try:
                found = net.read_net(text)
            except net.Unsupported as e:
                print("%s: %s" % (case.name, e))  # a model of which only ours is measured
                continue
            counted = re.search(r"^parameters +([\d,]+)", run("--summary", path), re.M)[1]
            assert parameters(found["layers"]) == int(counted.replace(",", "")), case.name
            assert case.batch is None or found["batch"] == case.batch, case.name


def made_up_placement(looks):
    """On CPUs that are near at first, and then as (trip, slowdown) of looks say, the last of
    them for ever."""
    left = {}

    def probe(*pair):
        probes = left.setdefault(pair, [(90, 1.0)] * placement.LOOKS + looks)
        return probes.pop(0) if len(probes) > 1 else probes[0]

    return placement.Placement(probe, 0)


def turns_are_taken_again():
    near, far, shared = (110, 1.1), (200, 1.0), (40, 1.8)
    for name, looks, cpus, expected in (
            ("near", [near], {2, 3}, (1, True)),
            ("one CPU is near itself", [far], {3}, (1, True)),
            ("any CPUs", [far], None, (1, True)),
            ("far at first", [far, far, near], {2, 3}, (1, True)),
            ("far at the end", [near, far, near], {2, 3}, (2, True)),
            ("threads of one core at the end", [near, shared, near], {2, 3}, (2, True)),
            ("three CPUs", [near], {1, 2, 3}, (1, True)),
            ("far for ever", [far], {2, 3}, (placement.TRIES, False))):
        turns = []
        placement.WAIT_SECONDS = 0.01 if name == "far for ever" else 60  # seconds: however slow this is
        answer, settled = made_up_placement(looks).settled(
            cpus, lambda turns=turns: turns.append(0) or len(turns))
        assert (answer, settled) == expected, (name, answer, settled)
        assert answer == len(turns), name


if __name__ == "__main__":
    {"report": report, "markdown": markdown, "cases": every_case,
     "placement": turns_are_taken_again}[sys.argv[1]](*sys.argv[2:])
