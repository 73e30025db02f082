"""
Random programs, compiled in several ways, against PyTorch in float64.
usage: check.py BUILD TMP FIRST COUNT LIBRARIES...   (from the root of the project)
WAYS="gcc-san ..." instead of a changing choice, or all; V=1 shows the largest errors.
WORKERS=N: so many processes.
"""
import functools
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(1, os.path.join(HERE, "../parity"))

import draw  # noqa: E402
import judge  # noqa: E402
import reference as ref  # noqa: E402

WARN = "-std=gnu11 -Wall -Wextra -Wconversion -Wshadow -Werror -DNNC_LIBRARY".split()
FLOAT = "-fno-math-errno -fno-trapping-math".split()
SANITIZE = "-O0 -g -fsanitize=address,undefined -fno-sanitize-recover=all".split()
CPUS = ["native", "x86-64-v3", "x86-64"]
# name: compiler, flags, options of nnc, in double
WAYS = {
    "gcc-san": ("gcc", SANITIZE, [], False),
    "clang-san": ("clang", SANITIZE, [], False),
    "gcc-fast": ("gcc", ["-O3", "-march=native"], [], False),
    "clang-fast": ("clang", ["-O3", "-march=native"], [], False),
    "double": ("gcc", ["-O0", "-march=native", "-DNNC_DOUBLE"], [], True),
    "plain": ("gcc", ["-O0", "-DNNC_DOUBLE"], ["--kernel=plain"], True),
}
TOGETHER = 25  # programs in one executable
DRAWS = 1000  # until a program uses the kernel that is wanted
KERNELS_OF = """input 9x9x3; conv 8 3x3; conv 8 3x3; dense 9; dense 8;"""


class Failed(Exception):
    pass


def run(args, timeout=1200, **more):
    try:
        done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="replace", timeout=timeout, **more)
    except subprocess.TimeoutExpired:
        raise Failed("%s: no end after %d s" % (" ".join(args[:3]), timeout))
    if done.returncode:
        raise Failed("%s: status %d\n%s%s" % (" ".join(args[:3]), done.returncode,
                                              done.stdout[-2000:], done.stderr[-4000:]))
    return done.stdout


def ways_of(seed):
    """Which ways in turn, so that a short run has some of each."""
    if os.environ.get("WAYS"):
        names = os.environ["WAYS"].split()
        names = list(WAYS) if names == ["all"] else names
    else:
        names = [["gcc-san", "double", "clang-san", "double"][seed % 4]]
        names += ["gcc-fast"] if seed % 9 == 0 else []
        names += ["clang-fast"] if seed % 25 == 0 else []
        names += ["plain"] if seed % 10 == 0 else []
    if os.environ.get("SANITIZED"):  # the runtime is gcc's sanitizer's
        names = [n for n in names if WAYS[n][0] == "gcc"] or ["gcc-san"]
    return names


class Bench:
    def __init__(self, build, tmp, libraries):
        self.build, self.tmp, self.libraries = build, tmp, libraries
        self.nnc = os.path.abspath(build + "/nnc")
        self.more = os.environ.get("CFLAGS", "").split()
        self.kernels = self.explain(self.write("kernels.nn", KERNELS_OF), [])[0]
        self.used, self.said, self.worst, self.loosened = set(), "", {}, 0

    def merge(self, other):
        self.used |= other.used
        self.said += other.said
        self.loosened += other.loosened
        for way, worst in other.worst.items():
            self.worst[way] = max(self.worst.get(way, 0), worst)

    def write(self, name, text):
        path = os.path.join(self.tmp, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def explain(self, source, options):
        """(all kernels, those that were chosen)."""
        text = run([self.nnc, "--explain", *options, source])
        rows = [line.split() for line in text.splitlines() if line.startswith("    ")]
        all = [(r[1] if r[0] == "*" else r[0], r[0] == "*") for r in rows]
        names = sorted({n for n, _ in all} - {"plain"})
        return names, {n for n, chosen in all if chosen}

    # ---- one program: to C, and what it must come to

    def place(self, p):
        """Writes its files."""
        for name, text in p.files.items():
            self.write(name, text)
        p.source = os.path.join(self.tmp, p.name + ".nn")

    def chosen(self, p):
        return self.explain(p.source, p.defines + p.options)[1]

    def draw(self, seed):
        """The seed's program. An odd one's uses a kernel, each in turn: no seed misses one."""
        p = draw.Drawing(seed, self.kernels).draw()
        wanted = self.kernels[seed // 2 % len(self.kernels)]
        for again in range(DRAWS if seed % 2 else 0):
            p = draw.Drawing(seed, self.kernels, again).draw()
            p.options = ["--kernel=" + wanted]
            self.place(p)
            try:
                if wanted in self.chosen(p):
                    break
            except Failed:  # prepare() comes to it again, and says so
                break
        return p

    def prepare(self, p):
        """Writes its files; the reference. The sugared form must mean the plain one."""
        self.place(p)
        plain = self.write("plain_%s.nn" % p.name, p.plain())
        normal = run([self.nnc, "--emit=nn", plain, "-o", "-"])
        sugared = run([self.nnc, "--emit=nn", *p.defines, p.source, "-o", "-"])
        if normal != sugared:
            raise Failed("other statements without constants, repeats, blocks:\n%s" % sugared)
        if run([self.nnc, "--emit=nn", self.write("again.nn", normal), "-o", "-"]) != normal:
            raise Failed("the normal form has another normal form")
        self.used |= self.chosen(p)
        self.said += normal
        p.reference = ref.Reference(p, normal)
        base = os.path.join(self.tmp, p.name)
        p.case = [base + ".weights", base + ".case"]
        p.extreme = [base + ".extreme_weights", base + ".extreme_case"]
        p.reference.save(*p.case)
        p.reference.save_extreme(*p.extreme)

    def emit(self, p, options):
        """The C; from another folder, in another locale, it is the same."""
        path = os.path.join(self.tmp, p.name + ".c")
        run([self.nnc, "-S", *p.defines, *p.options, *options, p.source, "-o", path])
        other = run([self.nnc, "-S", *p.defines, *p.options, *options, p.name + ".nn", "-o", "-"],
                    cwd=self.tmp, env={**os.environ, "LC_ALL": "tr_TR.UTF-8", "HOME": "/"})
        with open(path) as f:
            if f.read() != other:
                raise Failed("nnc -S in another folder and locale writes other C")
        return path

    # ---- some programs in one way

    def compile(self, p, way):
        cc, flags, options, _ = WAYS[way]
        flags = flags if any("march" in f for f in flags) else flags + [
            "-march=" + CPUS[p.seed % len(CPUS)]]
        target = os.path.join(self.tmp, "%s_%s.o" % (p.name, way))
        run([cc, *WARN, *FLOAT, *flags, *self.more, "-Iruntime", "-c", "-o", target,
             self.emit(p, options)])
        return target

    def link(self, objects, names, way):
        cc, flags, _, wide = WAYS[way]
        ends = "_model_double" if wide else "_model"
        table = "#include <nnc_rt.h>\n"
        table += "".join("extern const NncModel %s%s;\n" % (n, ends) for n in names)
        table += "const NncModel *const models[] = {%s};\n" % ", ".join("&" + n + ends for n in names)
        program = os.path.join(self.tmp, "program_" + way)
        flags = [f for f in flags if not f.startswith(("-O", "-march"))] + ["-O1"]
        run([cc, "-std=gnu11", "-w", *flags, *self.more, "-Iruntime", "-o", program,
             os.path.join(HERE, "driver.c"), self.write("table_%s.c" % way, table), *objects,
             self.build + "/libnncrt.a", *self.libraries])
        return program

    def judge(self, p, way, program, number):
        out = os.path.join(self.tmp, "out.safetensors")
        wide = WAYS[way][3]
        run([program, str(number), *p.case, out])
        judged = judge.Judge(p.reference, out, wide)
        message = judged.judge()
        if message:
            raise Failed(message)
        self.loosened += judged.loosened
        self.worst[way] = max(self.worst.get(way, 0), judged.worst)
        run([program, str(number), *p.extreme, out])
        message = judge.judge_extreme(p.reference, out)
        if message:
            raise Failed(message)
        if wide:
            run([program, str(number), "gradcheck"])

    def try_one(self, p, way):
        """None, or what is wrong."""
        try:
            self.prepare(p)
            self.judge(p, way, self.link([self.compile(p, way)], [p.name], way), 0)
        except ref.NoSamples:
            return None
        except Failed as why:
            return str(why)
        return None

    def shrink(self, p, way):
        """Leaves out statements, options and the sugar while something is still wrong."""
        aside = Bench.__new__(Bench)
        aside.__dict__.update(self.__dict__)
        aside.tmp, aside.used, aside.worst = tempfile.mkdtemp(dir=self.tmp), set(), {}
        small = draw.Program(p.seed)
        small.__dict__.update(p.__dict__)

        def attempt(statements, options):
            one = draw.Program(p.seed)
            one.__dict__.update(small.__dict__)
            one.statements, one.options, one.defines = statements, options, []
            one.files = {p.name + ".nn": one.plain()}
            source = aside.write(p.name + ".nn", one.plain())
            if subprocess.run([self.nnc, "--check", source], capture_output=True).returncode:
                return False
            try:
                if not aside.try_one(one, way):
                    return False
            except Exception:  # pylint: disable=broad-except; not a classifier any more
                return False
            small.__dict__.update(one.__dict__)
            return True

        attempt(p.statements, [])
        i = len(small.statements) - 2
        while i > 0:
            attempt(small.statements[:i] + small.statements[i + 1:], small.options)
            i -= 1
        return small

    def report(self, p, way, why):
        print("FAIL random seed %d, %s %s: %s" % (p.seed, way, " ".join(p.options), why))
        for name, text in p.files.items():
            print("-- %s %s\n%s" % (name, " ".join(p.defines), text))
        if way in WAYS and not os.environ.get("NO_SHRINK"):
            small = self.shrink(p, way)
            print("-- as little as still fails: %s\n%s" % (" ".join(small.options), small.plain()))
        print("again: SEED=%d COUNT=1 WAYS='%s' tests/random/run" % (p.seed, way), flush=True)

    def check(self, programs):
        """Those that are wrong, by seed; how many said nothing."""
        wrong, silent = set(), 0
        ready = []
        for p in programs:
            try:
                self.prepare(p)
                ready.append(p)
            except ref.NoSamples:
                silent += 1
            except Failed as why:
                wrong.add(p.seed)
                self.report(p, "front", why)
        for way in WAYS:
            objects, mine = [], []
            for p in ready:
                if way not in ways_of(p.seed):
                    continue
                try:
                    objects.append(self.compile(p, way))
                    mine.append(p)
                except Failed as why:
                    wrong.add(p.seed)
                    self.report(p, way, why)
            if not mine:
                continue
            try:
                program = self.link(objects, [p.name for p in mine], way)
            except Failed as why:
                print("FAIL random, %s: %s" % (way, why))
                return wrong | {p.seed for p in mine}, silent
            for number, p in enumerate(mine):
                try:
                    self.judge(p, way, program, number)
                except Failed as why:
                    wrong.add(p.seed)
                    self.report(p, way, why)
            for path in objects:
                os.remove(path)
        return wrong, silent


def missing(bench):
    """What a run of many programs has never used: the generator no longer reaches it."""
    words = [w for kind in draw.KNOWN.values() for w in kind]
    never = [w for w in words if not draw.re.search(r"\b%s\b" % w, bench.said)
             and w != "activation"]
    keys = {k for kind in draw.KNOWN.values() for ks in kind.values() for k in ks.split()}
    never += [k for k in sorted(keys - {"value"}) if k.islower() and k in (
        "stride", "padding", "dilation", "bias", "init", "name", "momentum", "nesterov",
        "weight_decay", "beta1", "beta2", "epsilon") and k not in bench.said]
    return never + sorted(set(bench.kernels) - bench.used)


def check_some(build, tmp, libraries, seeds):
    """In a folder of its own: the bench, those that are wrong, how many said nothing."""
    with tempfile.TemporaryDirectory(dir=tmp) as folder:
        bench = Bench(build, folder, libraries)
        return bench, *bench.check([bench.draw(seed) for seed in seeds])


def main(build, tmp, first, count, libraries):
    try:
        bench = Bench(build, tmp, libraries)
    except Failed as why:
        print("FAIL random: %s\n0 passed, 1 failed" % why)
        return True
    problems = draw.unknown(draw.words(bench.nnc))
    for problem in problems:
        print("FAIL random: %s" % problem)
    failed, silent = set(), 0
    last = first + count
    batches = [range(start, min(start + TOGETHER, last)) for start in range(first, last, TOGETHER)]
    check = functools.partial(check_some, build, tmp, libraries)
    with ProcessPoolExecutor(int(os.environ.get("WORKERS", 1))) as pool:
        for batch, (some, wrong, few) in zip(batches, pool.map(check, batches)):
            bench.merge(some)
            failed |= wrong
            silent += few
            if os.environ.get("V"):
                print("%d of %d, %d failed" % (batch.stop - first, count, len(failed)), flush=True)
    problem_count = len(problems)
    if count >= 50:
        for word in missing(bench):
            print("FAIL random: none of %d programs used %s" % (count, word))
            problem_count += 1
    if os.environ.get("V"):
        for way, worst in sorted(bench.worst.items()):
            print("%-10s largest error %.3f of its bound" % (way, worst))
        print("%d values beyond their bound, but within what last bits change" % bench.loosened)
    if silent:
        print("%d programs had no sample away from a kink" % silent)
    print("%d passed, %d failed" % (count - len(failed) - silent, len(failed) + problem_count))
    return bool(failed or problem_count)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]))
