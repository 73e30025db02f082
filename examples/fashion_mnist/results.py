"""results.py STUDY SAMPLES... - what the runs in STUDY have come to, as Markdown: Table 1
of the paper beside ours for each number of training samples; and for the first of them
how the accuracy grows with the epochs, and what the searches found."""

import glob
import json
import os
import re
import statistics
import subprocess
import sys

STUDY = sys.argv[1]
SAMPLES = [int(n) for n in sys.argv[2:]]

# Table 1: the model, its name there, test accuracy (%), minutes of training.
PAPER = [
    ("cnn", "CNN", 85.76, "1"),
    ("mlp1_relu", "1 layer, ReLU", 75.14, "18"),
    ("mlp2_relu", "2 layers, ReLU", 61.49, "n/a"),
    ("mlp3_relu", "3 layers, ReLU", 66.19, "18"),
    ("mlp3_leaky_relu", "3 layers, leaky ReLU", 72.81, "56"),
    ("mlp3_tanh", "3 layers, tanh", 51.01, "27"),
    ("mlp3_relu_dropout", "3 layers, ReLU, dropout", 70.84, "48"),
    ("mlp3_relu_dropout256", "3 layers of 256, ReLU, dropout", 71.11, "83"),
    ("mlp3_relu_raw", "3 layers, ReLU, raw pixels", 77.81, "28"),
]
SMALL_ALREADY = ["mlp3_relu_raw"]  # its first weights are PyTorch's
CNN_OF_ALL = 90.01  # on all 60,000 samples, which Table 1 does not have


def runs(kind, model, samples):
    """The folder of each seed's run."""
    return sorted(
        path.removesuffix(".jsonl")
        for path in glob.glob(f"{STUDY}/{kind}/{model}-{samples}-*.jsonl")
    )


def tests(run):
    """What it printed at each stop; and the epochs after which it was to stop."""
    with open(run + ".jsonl") as lines:
        return [json.loads(line) for line in lines]


def accuracies(kind, model, samples, stop=-1):
    found = [tests(run) for run in runs(kind, model, samples)]
    return [100 * rows[stop]["accuracy"] for rows in found if -len(rows) <= stop < len(rows)]


def mean_sd(values):
    if len(values) < 2:
        return f"{values[0]:.2f}" if values else ""
    return f"{statistics.mean(values):.2f} ± {statistics.stdev(values):.2f}"


def seconds(path):
    """Of the processor, of all that was started there: `times` has children second."""
    with open(path) as file:
        lines = file.read().splitlines()[1::2]
    return sum(
        60 * float(minutes) + float(rest)
        for line in lines
        for minutes, rest in re.findall(r"(\d+)m([\d.]+)s", line)
    )


def mean_seconds(kind, model, samples):
    found = [seconds(run + "/cpu") for run in runs(kind, model, samples)]
    return f"{statistics.mean(found):.0f}" if found else ""


def stops(kind):
    """The numbers of epochs after which runs of that kind were tested."""
    for run in sorted(glob.glob(f"{STUDY}/{kind}/mlp*.jsonl")):
        return [row["epochs"] for row in tests(run.removesuffix(".jsonl"))]
    return []


def epochs_kept(kind, model, samples):
    found = [tests(run)[-1] for run in runs(kind, model, samples)]
    kept = [row["best_epoch"] or row["epochs"] for row in found]
    return ", ".join(map(str, kept))


def found_by_tune(model):
    with open(f"{STUDY}/tune/{model}/best.nn") as file:
        text = file.read()
    rate = re.search(r"lr=([^\s;]+)", text).group(1)
    batch = re.search(r"batch (\d+)", text).group(1)
    score, deviation = re.search(r"accuracy ([\d.]+), standard deviation ([\d.]+)", text).groups()
    return rate, batch, f"{100 * float(score):.2f} ± {100 * float(deviation):.2f}"


def table(heads, rows):
    print("| " + " | ".join(heads) + " |")
    print("|---" + "|--:" * (len(heads) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def of_paper(model, samples):
    """The paper's accuracy on so many samples, or None, and its minutes."""
    if samples == 60000:
        return (CNN_OF_ALL, "") if model == "cnn" else (None, "")
    return next((row[2], row[3]) for row in PAPER if row[0] == model)


def main_table(samples):
    """Table 1; returns the models whose mean is below the paper's row."""
    short, long = stops("paper")[-2:]
    rows, below = [], []
    for model, name, *_ in PAPER:
        if not runs("paper", model, samples):
            continue
        paper, minutes = of_paper(model, samples)
        ours = []
        for kind in ("paper", "tuned"):
            ours += [accuracies(kind, model, samples, i) for i in (-2, -1)]
        times = [mean_seconds(kind, model, samples) for kind in ("paper", "tuned")]
        if model == "cnn":  # its rate, filters and kernels are what the paper tuned
            ours = [[], [], [], ours[1]]
            times.reverse()
        if paper and any(v and statistics.mean(v) < paper for v in (ours[0], ours[3])):
            below.append(name)
        cells = [mean_sd(v) for v in ours]
        given = [f"{paper:.2f}" if paper else "", minutes]
        rows.append([name, *given, *cells[:2], times[0], *cells[2:], times[1]])
    heads = ["model", "paper", "min", f"its rate, {short} epochs", f"{long} epochs", "s"]
    short, long = stops("tuned")[-2:]
    table([*heads, f"tuned, {short} epochs", f"{long} epochs", "s"], rows)
    if runs("paper", "cnn", samples):
        kept = epochs_kept("paper", "cnn", samples)
        print(f"The CNN is as the paper tuned it, and stops early: epochs {kept} are kept.\n")
    return below


def epochs_table():
    heads, rows = ["model", "paper"], []
    for kind, weights in (("paper", "He's"), ("small", "PyTorch's")):
        heads += [f"{weights}, {n} epochs" for n in stops(kind)]
    for model, name, paper, _ in PAPER:
        if model == "cnn" or not runs("paper", model, SAMPLES[0]):
            continue
        row = [name, f"{paper:.2f}"]
        he, small = ("none", "paper") if model in SMALL_ALREADY else ("paper", "small")
        for kind, count in ((he, len(stops("paper"))), (small, len(stops("small")))):
            for i in range(count):
                row.append(mean_sd(accuracies(kind, model, SAMPLES[0], i)))
        rows.append(row)
    table(heads, rows)


def tune_table():
    rows = []
    for model, name, _, _ in PAPER:
        if not runs("tuned", model, SAMPLES[0]):
            continue
        used = f"{seconds(f'{STUDY}/tune/{model}/cpu'):.0f}"
        rows.append([name, *found_by_tune(model), used])
    table(["model", "learning rate", "batch", "on the folds", "s"], rows)


def total_seconds():
    return sum(seconds(path) for path in glob.glob(f"{STUDY}/*/*/cpu"))


def machine():
    with open("/proc/cpuinfo") as file:
        cpu = re.search(r"model name\s*: (.*)", file.read())
    nnc = subprocess.run(
        [os.environ.get("NNC", "../../build/nnc"), "--version"], capture_output=True, text=True
    ).stdout
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {cpu.group(1) if cpu else 'unknown'}; {nnc.splitlines()[0]}"


def main():
    seeds = len(runs("paper", "mlp1_relu", SAMPLES[0]))
    print("# Results\n")
    print("Written by `make study`; [README.md](README.md) says how, and what they show.\n")
    print(f"On {machine()}. Test accuracy in percent, on all 10,000 test samples: mean ±")
    print(f"standard deviation of {seeds} seeds, each with other training samples and first weights;")
    print("s: seconds of one processor core for a run, with its tests; min: the paper's minutes.\n")
    below = []
    for samples in SAMPLES:
        print(f"## Table 1, {samples:,} training samples\n")
        below += main_table(samples)
    if below:
        print("Below the paper's row: " + ", ".join(below) + ".\n")
    else:
        print("Every mean is above the paper's row.\n")
    print("## The paper's rate: more epochs, other first weights\n")
    epochs_table()
    print("## What `nnc tune` found\n")
    tune_table()
    print(f"All runs and searches took {total_seconds() / 60:.1f} minutes of one core.\n")
    print("## Figure 1: accuracy on the folds over learning rate and batch, 1-layer MLP\n")
    print("![a heat map](figure1.png)\n")
    print("## Figure 2: training accuracy per epoch\n\n![a panel a model](figure2.png)")


main()
