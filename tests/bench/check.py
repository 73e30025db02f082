"""
What the tests of the benchmark check: the form of its reports, and that every case is one
which the peers understand. usage: check.py report FILE ROWS | markdown FILE | cases NNC
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import cases
import net

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


if __name__ == "__main__":
    {"report": report, "markdown": markdown, "cases": every_case}[sys.argv[1]](*sys.argv[2:])
