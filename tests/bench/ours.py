"""This project's side: models compiled into the work folder, and what `PROGRAM bench` says."""
import json
import os
import re
import subprocess
import time

import net

FIGURES = ("threads", "gflops", "peak_gflops", "peak_share")


class Failed(Exception):
    """Something did not run; the text says what."""


def run(args, **more):
    try:
        done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, **more)
    except OSError as e:
        raise Failed("%s: %s" % (args[0], e.strerror))
    if done.returncode:
        raise Failed("%s: status %d\n%s" % (" ".join(args), done.returncode, done.stderr.strip()))
    return done.stdout


class Ours:
    """Programs are compiled once each; a case of two thread counts shares one."""

    def __init__(self, nnc, work):
        self.nnc, self.work = nnc, work
        self.built = {}
        os.makedirs(work, exist_ok=True)

    def version(self):
        return run([self.nnc, "--version"]).strip()

    def prepare(self, case):
        """(program, its text in normal form)"""
        key = case.model, case.batch, case.optimizer
        if key not in self.built:
            self.built[key] = self.compile(case)
        return self.built[key]

    def compile(self, case):
        model = case.model
        path = os.path.join(self.work, re.sub(r"\W+", "_", case.name))
        if "\n" in model:
            model = path + "_model.nn"
            with open(model, "w") as f:
                f.write(case.model)
        text = net.retrain(run([self.nnc, "--emit=nn", model, "-o", "-"]), case.batch,
                           case.optimizer)
        with open(path + ".nn", "w") as f:
            f.write(text)
        run([self.nnc, path + ".nn", "-o", path])
        return path, text

    def parameters(self, program):
        return json.loads(run([program, "info", "--json"]))["parameters"]

    def bench(self, program, case, seconds, threads, env, cpus):
        """Microseconds, and the figures beside them. `bench` gives half of its time to the
        step, and a quarter to each inference."""
        share = 2 if case.work == "training step" else 4
        args = [program, "bench", "--json", "--seconds", "%g" % (share * seconds)]
        if not cpus:
            args += ["--threads", str(threads)]  # else as many as CPUs, or as it likes
        confine = (lambda: os.sched_setaffinity(0, cpus)) if cpus else None
        found = json.loads(run(args, env=env, preexec_fn=confine, cwd=self.work))
        if case.work == "training step":
            us = found["step_us"]
        elif case.rows == 1:
            us = found["infer_us"]
        elif "infer_batch_us" in found:
            us = found["infer_batch_us"]
        else:  # only for people
            args.remove("--json")
            text = run(args, env=env, preexec_fn=confine, cwd=self.work)
            us = float(re.search(r"inference, %d +([\d.]+) us" % case.rows, text)[1])
        return us, {k: found[k] for k in FIGURES if k in found}


def compile_times(nnc, model, work):
    """Seconds to the C text, and to a program."""
    begin = time.perf_counter()
    run([nnc, "-S", model, "-o", os.path.join(work, "front.c")])
    middle = time.perf_counter()
    run([nnc, model, "-o", os.path.join(work, "whole")])
    return middle - begin, time.perf_counter() - middle
