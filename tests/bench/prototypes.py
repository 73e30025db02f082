"""The two C prototypes, where there is a folder of them: built, run, and their step times."""
import os
import re
import shutil

from ours import Failed, run

CC = ["gcc", "-O3", "-march=native"]


class Prototypes:
    """mlp/mlp.c, one program for each of its options; cnn/step2.c, which needs PyTorch once,
    for its first weights."""

    def __init__(self, folder, work, python):
        self.work, self.python = os.path.join(work, "prototypes"), python
        self.built, self.epochs = {}, {}
        shutil.copytree(folder, self.work, dirs_exist_ok=True)

    def program(self, what, threads):
        """Compiled when first needed."""
        options = {} if what == "cnn" else dict(what, TH=threads)
        key = "cnn" if what == "cnn" else "_".join("%s%s" % o for o in options.items())
        if key not in self.built:
            folder = os.path.join(self.work, "cnn" if what == "cnn" else "mlp")
            path = os.path.join(folder, key)
            if what == "cnn":
                run([self.python, "gen.py", "18", "14"], cwd=folder)
                run([self.python, "ref.py", "init"], cwd=folder)
                run(CC + ["-ffast-math", "-fopenmp", "step2.c", "-o", path, "-lopenblas", "-lz",
                          "-lm"], cwd=folder)
            else:
                run(CC + ["-D%s=%s" % o for o in options.items()]
                    + ["mlp.c", "-o", path, "-lm", "-lz", "-lpthread"], cwd=folder)
            self.built[key] = path
        return self.built[key]

    def prepare(self, what, threads):
        self.program(what, threads)

    def measure(self, what, threads, seconds, env, cpus):
        """Microseconds of a step, the median of what it ran."""
        program = self.program(what, threads)
        args = [str(threads)] if what == "cnn" else [str(self.epochs.get(program, 3))]
        confine = (lambda: os.sched_setaffinity(0, cpus)) if cpus and threads == 1 else None
        text = run([program] + args, env=env, cwd=os.path.dirname(program), preexec_fn=confine)
        found = re.search(r"median ([\d.]+) (ms|us)", text)
        if not found:
            raise Failed("%s: no time in '%s'" % (program, text.strip()))
        us = float(found[1]) * (1000 if found[2] == "ms" else 1)
        if what != "cnn":
            epoch = us * 1e-6 * (10000 // what["B"])
            self.epochs[program] = max(3, min(1000, int(seconds / epoch)))
        return us
