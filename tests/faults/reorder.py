"""reorder.py PROGRAM DATA: what a loss of power may leave of a save.

The calls of a run are recorded by strace, with the bytes written. A disk holds at any time
what was synced, and of all later writes and names any part, in any order: for each prefix
of the calls, each subset of names (creations, links, renames, removals) not yet made to
last by fsync of the folder, with each variant of contents (each write there, half there,
or not) not yet made to last by fsync of the file. Every such folder must hold the old or
the new checkpoint, which resumes to the same bits as a run that never stopped; and the new
one as soon as the run has reported it.
"""
import itertools
import os
import re
import shutil
import sys
import tempfile

from training import Program, check, copy, difference, epoch, finish

program = Program(sys.argv[1], sys.argv[2], "--patience", "1000")
work = tempfile.mkdtemp(dir=os.environ["work"])
os.chdir(work)


def unhex(text):
    """"\\x72\\x75\\x6e" as strace -xx has it, as bytes."""
    return bytes.fromhex(text.replace("\\x", ""))


class Inode:
    """A file: the writes that last, and those that may or may not be there."""

    def __init__(self, data=b""):
        self.lasting = bytearray(data)
        self.pending = []  # (offset, bytes)
        self.size = len(data)

    def write(self, at, data):
        self.pending.append((at, data))
        self.size = max(self.size, at + len(data))

    def sync(self):
        self.lasting = bytearray(self.variant([2] * len(self.pending)))
        self.pending = []

    def variant(self, parts):
        """With each pending write missing (0), half there (1) or whole (2)."""
        data = bytearray(self.lasting)
        for (at, new), part in zip(self.pending, parts):
            new = new[:len(new) * part // 2]
            if new and len(data) < at:
                data += bytes(at - len(data))
            data[at:at + len(new)] = new
        return bytes(data)

    def variants(self):
        # an empty file whose size has got there before its bytes is one more
        found = {self.variant(p) for p in itertools.product(range(3), repeat=len(self.pending))}
        if self.pending:
            found.add(bytes(self.lasting) + bytes(self.size - len(self.lasting)))
        return sorted(found)


class Disk:
    """The folder of a run: names that last, and changes of names that may be there."""

    def __init__(self, folder):
        self.names = {}
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                self.names[name] = Inode(file.read())
        self.pending = []  # lists of (name, inode or None), each all or nothing
        self.files = {}  # descriptor: [inode or "folder", offset, append]

    def now(self):
        return self.after(range(len(self.pending)))

    def after(self, chosen):
        names = dict(self.names)
        for i in chosen:
            for name, inode in self.pending[i]:
                names[name] = inode
        return {name: inode for name, inode in names.items() if inode}

    def states(self):
        """Every folder that there may be, as {name: bytes}."""
        for count in range(len(self.pending) + 1):
            for chosen in itertools.combinations(range(len(self.pending)), count):
                names = self.after(chosen)
                inodes = sorted({id(i): i for i in names.values()}.values(), key=id)
                for contents in itertools.product(*(i.variants() for i in inodes)):
                    found = dict(zip(map(id, inodes), contents))
                    yield {name: found[id(inode)] for name, inode in names.items()}

    # ---- the calls ----
    def openat(self, path, flags, fd):
        folder, name = os.path.split(path)
        if path.rstrip("/") == "run":
            self.files[fd] = ["folder", 0, False]
        elif folder == "run":
            inode = self.now().get(name)
            if inode is None:
                inode = Inode()
                self.pending.append([(name, inode)])
            self.files[fd] = [inode, 0, "O_APPEND" in flags]

    def write(self, fd, data):
        inode, at, append = self.files[fd]
        at = inode.size if append else at
        inode.write(at, data)
        self.files[fd][1] = at + len(data)

    def fsync(self, fd):
        if self.files[fd][0] != "folder":
            self.files[fd][0].sync()
            return
        self.names = self.now()
        self.pending = []

    def rename(self, old, new):
        names = self.now()
        if names[old] is not names.get(new):  # two names of one file: nothing happens
            self.pending.append([(old, None), (new, names[old])])

    def link(self, old, new):
        self.pending.append([(new, self.now()[old])])

    def unlink(self, name):
        self.pending.append([(name, None)])

    def call(self, line):
        """Follows one line of strace; True if it may have changed what the disk holds."""
        found = re.match(r"\d+ +(\w+)\((.*)\) += (\d+)", line)
        if not found:
            return False
        name, text, result = found[1], found[2], int(found[3])
        words = [unhex(w) for w in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', text)]
        paths = [os.fsdecode(w) for w in words] if name != "write" else []
        fd = int(re.match(r"(\d+)", text)[1]) if re.match(r"\d", text) else None
        base = [os.path.basename(p) for p in paths]
        if name == "openat":
            known = self.files.get(fd, [None])[0] == "folder"
            self.openat("run/" + paths[0] if known else paths[0], text, result)
        elif name == "fcntl" and "F_DUPFD" in text and fd in self.files:
            self.files[result] = self.files[fd]
        elif name == "lseek" and fd in self.files:
            self.files[fd][1] = result
        elif name == "close":
            self.files.pop(fd, None)
        elif name == "write" and fd in self.files:
            self.write(fd, words[0][:result])
        elif name == "fsync" and fd in self.files:
            self.fsync(fd)
        elif name in ("rename", "renameat"):
            self.rename(*base)
        elif name == "linkat":
            self.link(*base)
        elif name in ("unlink", "unlinkat"):
            self.unlink(base[0])
        else:
            return False
        return name not in ("openat", "fcntl", "lseek", "close") or "O_CREAT" in text


def record(*options):
    """The lines of strace from a run in the folder `run`."""
    traced = "openat,write,fsync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,close," \
        "fcntl,lseek,ftruncate,pwrite64,writev,mkdir,fdatasync,sync_file_range"
    run = program.train("run", *options, prefix=[
        "strace", "-f", "-o", "log", "-xx", "-s", "10000000", "-e", f"trace={traced}"])
    check(run.returncode == 0, "a run under strace", run.stderr)
    with open("log") as log:
        lines = log.read().splitlines()
    unknown = [line for line in lines if re.search(
        r" (renameat2|link|ftruncate|pwrite64|writev|fdatasync|sync_file_range)\(", line)]
    check(not unknown, "calls that this model does not know", unknown)
    return lines


def fill(folder, state):
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for name, data in state.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


def explore(what, start, options, verify, new):
    """All states of a run; verify(state's name) looks at each different one in `run`."""
    copy(start, "run")
    disk = Disk("run")
    lines = record(*options)
    seen, count = {}, 0
    for line in lines:
        if not disk.call(line):
            continue
        for state in disk.states():
            count += 1
            key = tuple(sorted(state.items()))
            if key not in seen:
                seen[key] = (len(seen), line[:100])
    final = {name: inode.variant([2] * len(inode.pending)) for name, inode in disk.now().items()}
    real = {}
    for name in os.listdir("run"):
        with open(os.path.join("run", name), "rb") as file:
            real[name] = file.read()
    check(final == real, f"{what}: the model ends as the folder did", sorted(final), sorted(real))
    check(not disk.pending, f"{what}: names that a finished run has not synced", disk.pending)
    fill("run", disk.states().__next__())
    check(epoch("run") == new, f"{what}: what is reported lasts", epoch("run"))
    for key, (number, line) in seen.items():
        fill("run", dict(key))
        verify(f"{what}: state {number}, after {line}")
    print(f"measured: {what}: {len(lines)} calls, {count} states, {len(seen)} of them different")
    check(len(seen) > 25, f"{what}: states", len(seen))


def resumed(name, goal):
    run = program.train("run", "--resume", "--epochs", "6")
    if check(run.returncode == 0, f"{name}, resumed:", run.stderr):
        found = difference(goal, "run")
        check(found is None, f"{name}, resumed:", found)


def verify_epoch(name):
    if check(epoch("run") in (3, 4), name, epoch("run"), os.listdir("run")):
        resumed(name, "whole")


def verify_new(name):
    """The old run under one of its names; if the new one has its place, it can go on."""
    old = [n for n in ("last.safetensors", "last.safetensors~") if epoch("run", n) == 3]
    if not check(old, name, "the old run is gone", os.listdir("run")):
        return
    if os.path.exists("run/last.safetensors"):
        resumed(name, "whole" if old[0] == "last.safetensors" else "new")


check(program.train("old", "--epochs", "3").returncode == 0, "the old run")
copy("old", "whole")
check(program.train("whole", "--resume", "--epochs", "6").returncode == 0, "the whole run")
explore("an epoch", "old", ["--resume", "--epochs", "4"], verify_epoch, 4)
check(program.train("new", "--epochs", "6", "--seed", "2").returncode == 0, "the new run")
explore("a new run", "old", ["--epochs", "1", "--seed", "2"], verify_new, 1)
finish()
