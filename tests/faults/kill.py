"""kill.py PROGRAM DATA COUNT SEED: SIGKILL (and now and then SIGTERM) at COUNT random times.

Each run is killed, resumed, killed again ... until it ends. It must end as one that was
never stopped: the same files, the same bytes of checkpoint, best weights and pictures, the
same history. At no time may the checkpoint be damaged, gone, or older than what the run has
reported. When it is killed is counted in the lines that it has written, so that all of a
run is met, however busy the machine is.
"""
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from training import Program, check, difference, epoch, finish

EPOCHS = 60
program = Program(sys.argv[1], sys.argv[2], "--epochs", str(EPOCHS), "--patience", "1000")
count, seed = int(sys.argv[3]), int(sys.argv[4])
random.seed(seed)
work = tempfile.mkdtemp(dir=os.environ["work"])
os.chdir(work)

whole = program.train("whole", plot=True)
check(whole.returncode == 0, "a run in one go", whole.stderr)


def wait(process):
    """Waits for a random moment; all lines of stderr that were read. None: it has ended."""
    text = []
    if random.random() < 0.2:
        time.sleep(random.uniform(0, 0.02))  # as it begins
        return text
    lines = random.expovariate(4 / EPOCHS)
    while len(text) < lines:
        line = process.stderr.readline()
        if not line:
            return text
        text.append(line)
        if f"Epoch {EPOCHS}/" in line:  # the test, the pictures
            time.sleep(random.uniform(0, 0.15))
            return text
    time.sleep(random.uniform(0, 0.003))
    return text


kills = terms = lost = runs = inside = 0
while kills < count:
    shutil.rmtree("run", ignore_errors=True)
    saved = None
    runs += 1
    while True:
        options = [] if saved is None else ["--resume"]
        process = subprocess.Popen(program.arguments("run", *options, plot=True),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        soft = random.random() < 0.1
        text = wait(process)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM if soft else signal.SIGKILL)
        text = "".join(text) + process.communicate(timeout=120)[1]
        shown = [int(n) for n in re.findall(r"^Epoch (\d+)/", text, re.M)]
        now = epoch("run") if os.path.exists("run/last.safetensors") else None
        if process.returncode == 0:
            break
        terms += soft
        kills += not soft
        good = process.returncode in ([143, -15] if soft else [-9])
        good = good and (now is not None or (saved is None and not shown))
        good = good and (now or 0) >= max([saved or 0, *shown])
        good = good and (process.returncode != 143 or "train --resume" in text)
        inside += soft and process.returncode == 143
        lost += not good
        check(good, f"kill {kills} (seed {seed}): the checkpoint", saved, shown, now,
              process.returncode, text[-500:])
        if not good:
            break
        saved = now
    if process.returncode == 0:
        check(difference("whole", "run") is None, f"run {runs} (seed {seed}), killed and resumed:",
              difference("whole", "run"), text[-500:])
print(f"measured: {kills} kills, {terms} times SIGTERM ({inside} saved), {runs} runs, {lost} lost")
finish()
