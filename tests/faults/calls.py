"""calls.py PROGRAM DATA: a fault at each system call of a save, by strace.

Twice: a resumed epoch (best weights, history, checkpoint), and a new run in the folder of
an old one. SIGKILL before each call: the folder holds the old or the new run, and resuming
makes it what it should have become. ENOSPC, EIO and EINTR from each call that writes: exit
status 74 with the reason, nothing half-written left, and the same after resuming.
"""
import os
import re
import sys
import tempfile

from training import Program, check, copy, difference, epoch, finish

program = Program(sys.argv[1], sys.argv[2], "--patience", "1000")
work = tempfile.mkdtemp(dir=os.environ["work"])
os.chdir(work)
LONG = bool(os.environ.get("LONG"))


def record(*options):
    """The calls of a run from its lock to its end: (name, how many of it before, text)."""
    run = program.train("run", *options, prefix=["strace", "-f", "-o", "log"])
    check(run.returncode == 0, "a run under strace", run.stderr)
    counts, calls, locked = {}, [], False
    with open("log", errors="replace") as log:
        for line in log:
            found = re.match(r"\d+ +(\w+)\((.*)", line)
            if not found or found[1] in ("exit_group", "execve"):
                continue
            name = found[1]
            counts[name] = counts.get(name, 0) + 1
            locked = locked or name == "mkdir"
            if locked:
                calls.append((name, counts[name], found[2]))
    return calls


def inject(call, fault, *options):
    name, when, _ = call
    return program.train("run", *options, prefix=[
        "strace", "-f", "-o", "log", "-e", f"trace={name}", "-e",
        f"inject={name}:{fault}:when={when}"])


def must_fail(call):
    """Is an error of this call one that the user must hear of?"""
    name, _, text = call
    if name == "openat":
        return "O_CREAT" in text or '"run' in text and "O_DIRECTORY" in text
    if name == "write":
        return not re.match("[12],", text)
    return name in ("fsync", "linkat", "renameat", "rename")


def leftovers(folder):
    return [name for name in os.listdir(folder) if ".tmp" in name]


def resumed(name, goal):
    run = program.train("run", "--resume", "--epochs", "6")
    if check(run.returncode == 0, f"{name}, resumed:", run.stderr):
        found = difference(goal, "run")
        check(found is None, f"{name}, resumed:", found)


def kills(what, calls, start, options, verify):
    print(f"measured: {what}: killed before each of {len(calls)} calls")
    for call in calls:
        name = f"{what}: killed before {call[0]} {call[1]} {call[2][:60]}"
        copy(start, "run")
        run = inject(call, "signal=KILL", *options)
        if check(run.returncode == -9, name, run.returncode, run.stderr):
            verify(name)


def errors(what, calls, start, options, verify):
    writing = [call for call in calls if must_fail(call)]
    print(f"measured: {what}: ENOSPC and EIO from each of {len(set(writing))} calls")
    check(len(writing) > 15, f"{what}: calls that write", len(writing))
    for call in writing:
        for error, text in (("ENOSPC", "No space left"), ("EIO", "Input/output error")):
            name = f"{what}: {error} from {call[0]} {call[1]} {call[2][:60]}"
            copy(start, "run")
            run = inject(call, f"error={error}", *options)
            check(run.returncode == 74, name, run.returncode, run.stderr)
            check(text in run.stderr, name, run.stderr)
            check("help:" in run.stderr or error == "EIO", name, run.stderr)
            check(not leftovers("run"), name, leftovers("run"))
            verify(name)
    for call in calls:
        if call[0] in ("write", "fsync", "close") and not re.match("[12],", call[2]):
            name = f"{what}: EINTR from {call[0]} {call[1]} {call[2][:60]}"
            copy(start, "run")
            run = inject(call, "error=EINTR", *options)
            check(run.returncode == 0, name, run.returncode, run.stderr)
        elif call[0] in ("close", "unlinkat", "fcntl", "flock", "newfstatat", "getdents64"):
            name = f"{what}: EIO from {call[0]} {call[1]} {call[2][:60]}"
            copy(start, "run")
            run = inject(call, "error=EIO", *options)
            check(run.returncode in (0, 74), name, run.returncode, run.stderr)
            verify(name)


# ---- an epoch of a run that is resumed ----
check(program.train("old", "--epochs", "3").returncode == 0, "the old run")
copy("old", "whole")
check(program.train("whole", "--resume", "--epochs", "6").returncode == 0, "the whole run")
copy("old", "run")
more = ["--resume", "--epochs", "4"]
calls = record(*more)


def verify_epoch(name):
    check(epoch("run") in (3, 4), name, epoch("run"))
    resumed(name, "whole")


kills("an epoch", calls, "old", more, verify_epoch)
errors("an epoch", calls if LONG else calls[::3] + [c for c in calls if must_fail(c)], "old", more,
       verify_epoch)

# ---- a new run over an old one ----
os.mkdir("fresh")
fresh = ["--epochs", "1", "--seed", "2"]
check(program.train("new", *fresh).returncode == 0, "the new run")
check(program.train("new", "--resume", "--epochs", "6").returncode == 0, "the new run goes on")
copy("old", "run")
calls = record(*fresh)


def verify_new(name):
    """The old run is there under one of its names, until a new one has its place."""
    kept = [n for n in ("last.safetensors", "last.safetensors~") if epoch("run", n) == 3]
    check(kept, name, "the old run is gone")
    if kept and kept[0] == "last.safetensors":
        resumed(name, "whole")
    elif os.path.exists("run/last.safetensors"):
        check(epoch("run") in (0, 1), name, epoch("run"))
        resumed(name, "new")
    else:
        run = program.train("run", *fresh)
        check(run.returncode == 0, name, run.stderr)
        check(epoch("run", "last.safetensors~") == 3, name, "the old run is gone")
        resumed(name, "new")


kills("a new run", calls, "old", fresh, verify_new)
if LONG:
    errors("a new run", calls, "old", fresh, verify_new)
finish()
