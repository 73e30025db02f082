"""kill.py PROGRAM DATA COUNT SEED: SIGKILL (and now and then SIGTERM) at COUNT random times.

Each run is killed, resumed, killed again ... until it ends. It must end as one that was
never stopped: the same bytes of the checkpoint and the best weights, the same history. At
no time may the checkpoint be damaged, gone, or older than what the run has reported.
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

program = Program(sys.argv[1], sys.argv[2], "--epochs", "60", "--patience", "1000")
count, seed = int(sys.argv[3]), int(sys.argv[4])
random.seed(seed)
work = tempfile.mkdtemp(dir=os.environ["work"])
os.chdir(work)

begin = time.monotonic()
whole = program.train("whole")
seconds = time.monotonic() - begin
check(whole.returncode == 0, "a run in one go", whole.stderr)

kills = terms = lost = runs = inside = 0
while kills < count:
    shutil.rmtree("run", ignore_errors=True)
    saved = None
    runs += 1
    while True:
        options = [] if saved is None else ["--resume"]
        process = subprocess.Popen(program.arguments("run", *options), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        # On a busy machine a run takes longer: now and then it is let run to its end.
        soft = random.random() < 0.1
        try:
            process.wait(random.uniform(0, seconds) if kills + terms < 20 * runs else None)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM if soft else signal.SIGKILL)
        text = process.communicate()[1]
        shown = [int(n) for n in re.findall(r"^Epoch (\d+)/", text, re.M)]
        now = epoch("run") if os.path.exists("run/last.safetensors") else None
        if process.returncode == 0:
            break
        terms += soft
        kills += not soft
        good = process.returncode in ([143, -15] if soft else [-9])
        good = good and (now is not None or (saved is None and not shown))
        good = good and (now or 0) >= max([saved or 0, *shown])
        inside += soft and process.returncode == 143
        lost += not good
        check(good, f"kill {kills} (seed {seed}): the checkpoint", saved, shown, now,
              process.returncode, text[-500:])
        if not good:
            break
        saved = now
    if process.returncode == 0:
        check(difference("whole", "run") is None, f"run {runs} (seed {seed}), killed and resumed:",
              difference("whole", "run"))
print(f"measured: {kills} kills, {terms} times SIGTERM ({inside} saved), {runs} runs, {lost} lost")
finish()
