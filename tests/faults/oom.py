"""oom.py SHIM NNC PROGRAM DATA MODEL...: memory runs out, at each allocation in turn.

What nnc and a built program do where allocation n fails, alone or with all after it (SHIM
counts them; in the quick form a sample where there are many): either the same answer, or
exit status 71 and "memory" on stderr; nothing half-written; and a run goes on afterwards
to the same bits.
"""
import os
import shutil
import subprocess
import sys
import tempfile

from training import Program, check, copy, difference, epoch, finish

shim, nnc, path, data = (os.path.abspath(a) for a in sys.argv[1:5])
models = [os.path.abspath(a) for a in sys.argv[5:]]
MOST = 10 ** 9 if os.environ.get("LONG") else 70
work = tempfile.mkdtemp(dir=os.environ["work"])
os.chdir(work)
tried = refused = 0


def run(command, at, everything=False):
    env = {**os.environ, "LD_PRELOAD": shim, "OOM_COUNT": "count", "OOM_AT": str(at)}
    if everything:
        env["OOM_ALL"] = "1"
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=120)


def said(text):
    return b"memory" in text or b"threads can be started" in text


def sample(count):
    """All of 1 .. count, or the first ones and others spread over the rest."""
    if count <= MOST:
        return range(1, count + 1)
    half = MOST // 2
    return sorted({*range(1, half + 1), *(half + i * (count - half) // half
                                          for i in range(1, half + 1))})


def explore(what, command, before, after, timed=False):
    """before() prepares; after(name, done) looks at what is there; timed: no two answers agree."""
    global tried, refused
    before()
    whole = run(command, 0)
    if not check(whole.returncode in (0, 1), what, whole.returncode, whole.stderr[-300:]):
        return
    with open("count") as file:
        count = int(file.read())
    check(count > 0, f"{what}: allocations", count)
    for n in sample(count):
        for everything in (False, True):
            before()
            name = f"{what}: allocation {n} of {count} fails{' and all after it' * everything}"
            try:
                got = run(command, n, everything)
            except subprocess.TimeoutExpired:
                check(False, name, "it hangs")
                continue
            tried += 1
            refused += got.returncode == 71
            if got.returncode == whole.returncode:
                check(timed or got.stdout == whole.stdout, f"{name}: another answer", got.stdout[-300:])
            else:
                check(got.returncode == 71 and said(got.stderr), name, got.returncode,
                      got.stderr[-300:])
            after(name, got.returncode != 71)


# ---- nnc ----
def nothing(*_):
    pass


wanted = {}


def start_output():
    shutil.rmtree("out", ignore_errors=True)
    os.mkdir("out")
    with open("out/model.c", "w") as file:
        file.write("old")


def look_output(name, done):
    with open("out/model.c") as file:
        text = file.read()
    check(text == (wanted["c"] if done else "old") and os.listdir("out") == ["model.c"], name,
          "half-written:", len(text), os.listdir("out"))


for model in models:
    base = os.path.basename(model)
    for command in ("--summary", "--explain", "--emit=ir", "--emit=nn", "--check"):
        explore(f"nnc {command} {base}", [nnc, command, model], nothing, nothing)
    start_output()
    done = subprocess.run([nnc, "-S", model, "-o", "out/model.c"], check=False)
    if check(done.returncode == 0, f"nnc -S {base}"):
        with open("out/model.c") as file:
            wanted["c"] = file.read()
        explore(f"nnc -S {base}", [nnc, "-S", model, "-o", "out/model.c"], start_output,
                look_output)
explore("nnc diff", [nnc, "diff", *models], nothing, nothing)
explore("nnc --doc", [nnc, "--doc", "conv"], nothing, nothing)
with open("wrong.nn", "w") as file:
    file.write("input 28x28;\nconv 8 3x3 rellu;\ndense -1 softmax;\ntrain { lr 3; }\n")
explore("nnc wrong.nn", [nnc, "--check", "wrong.nn"], nothing, nothing)
# The C compiler is not the question here: it makes an empty file.
with open("cc", "w") as file:
    file.write('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\n: >"$2"\n')
os.chmod("cc", 0o755)
os.environ["CC"] = os.path.abspath("cc")
os.environ["TMPDIR"] = os.path.abspath("temporary")


def start_program():
    shutil.rmtree("temporary", ignore_errors=True)
    os.mkdir("temporary")
    if os.path.exists("program"):
        os.remove("program")


def look_program(name, done):
    check(os.path.exists("program") == done and not os.listdir("temporary"), name,
          "left behind:", os.listdir("temporary"))


explore("nnc", [nnc, models[0], "-o", "program"], start_program, look_program)
del os.environ["CC"], os.environ["TMPDIR"]

# ---- a program ----
program = Program(path, data, "--patience", "1000", "--quiet")
check(program.train("old", "--epochs", "2").returncode == 0, "the old run")
copy("old", "whole")
check(program.train("whole", "--resume", "--epochs", "4").returncode == 0, "the whole run")
copy("old", "more")
check(program.train("more", "--resume", "--epochs", "3").returncode == 0, "an epoch more")
os.mkdir("empty")
looked = 0


def start_run():
    copy("old", "run")


def look_run(name, done):
    global looked
    check(not [n for n in os.listdir("run") if ".tmp" in n], name, os.listdir("run"))
    if done:
        check(difference("more", "run") is None, name, difference("more", "run"))
    check(epoch("run") in (2, 3), name, "the checkpoint is gone")
    looked += 1
    if looked % 5 == 0:
        more = program.train("run", "--resume", "--epochs", "4")
        check(more.returncode == 0 and difference("whole", "run") is None, name, "goes on:",
              more.stderr)


def start_new():
    copy("empty", "run")


def look_new(name, done):
    if done:
        check(epoch("run") == 1, name, epoch("run"))
    elif os.path.exists("run/last.safetensors"):
        check(epoch("run") in (0, 1), name, "the checkpoint is damaged")


explore("train --resume", program.arguments("run", "--resume", "--epochs", "3"), start_run, look_run)
explore("train", program.arguments("run", "--epochs", "1"), start_new, look_new)
check(program.train("more", "--resume", plot=True).returncode == 0, "its curves")


def look_curves(name, done):
    """Each is as it should be, or is not there: but for them, a run is as good."""
    check(not [n for n in os.listdir("run") if ".tmp" in n], name, os.listdir("run"))
    for file in ("curves.gnuplot", "curves.svg", "curves.png"):
        if done and os.path.exists("run/" + file):  # else without what the test part scored
            with open("run/" + file, "rb") as a, open("more/" + file, "rb") as b:
                check(a.read() == b.read(), name, "another", file)


def start_more():
    copy("more", "run")
    for file in ("curves.gnuplot", "curves.svg", "curves.png"):
        os.remove("run/" + file)


explore("the curves", program.arguments("run", "--resume", plot=True), start_more, look_curves)
weights = ["--weights", "old/last.safetensors"]
for command in (["eval", "--data", data, *weights], ["eval", "--data", data, "--json", *weights],
                ["predict", "--json", *weights, data + "/t10k-images-idx3-ubyte"],
                ["report", "--data", data, *weights, "--out", "report.html"],
                ["lr-find", "--data", data, "--steps", "20", "--out", "found"],
                ["--help"], ["bench", "--help"], ["info"], ["info", "--json"], ["gradcheck", "--samples", "1", "--json"],
                ["init", "-o", "init.safetensors"],
                ["grad", "--data", data, *weights, "-o", "grad.safetensors"]):
    explore(" ".join(command[:2]), [path, *command], nothing, nothing)
explore("bench", [path, "bench", "--seconds", "0.01", "--threads", "1"], nothing, nothing, True)
print(f"measured: {tried} allocations that failed: {refused} times status 71, else the same answer")
finish()
