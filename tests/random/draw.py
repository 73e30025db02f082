"""
A random valid program of the language from a seed: every layer, activation, initialiser,
loss and optimizer, odd shapes, in plain statements and in a form that uses constants,
repeats, blocks and includes.
"""
import random
import re
import subprocess

# What programs are drawn with: every parameter of every word, as `nnc --doc` has them.
# A word or parameter that is not here fails the test until draw() knows it.
KNOWN = {
    "layer": {
        "activation": "activation name",
        "avgpool": "window stride padding name",
        "conv": "filters kernel activation stride padding dilation bias init name",
        "dense": "units activation bias init name",
        "dropout": "rate name",
        "flatten": "name",
        "globalavgpool": "name",
        "input": "shape name",
        "maxpool": "window stride padding name",
    },
    "activation": {
        "elu": "alpha", "gelu": "", "leaky_relu": "alpha", "linear": "", "relu": "",
        "selu": "", "sigmoid": "", "softplus": "", "swish": "", "tanh": "", "softmax": "",
    },
    "initialiser": {
        "constant": "c", "glorot": "", "he": "", "lecun": "", "normal": "s",
        "pytorch": "", "uniform": "a", "zeros": "",
    },
    "loss": {"cross_entropy": "", "mse": ""},
    "optimizer": {
        "adam": "lr beta1 beta2 epsilon weight_decay",
        "sgd": "lr momentum nesterov weight_decay",
    },
}
# Drawn without a table, or not part of what is computed.
ELSEWHERE = ["data", "train", "tune", "statement", "section"]

SIDES = [1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13]
CHANNELS = [1, 2, 3, 4, 5, 7, 8, 8, 9, 13, 16, 17]
UNITS = [1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 40, 65]
BATCHES = [1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 31, 32, 33]
MACS = 200_000  # of a sample: float64 in PyTorch takes its time


def words(nnc):
    """What the compiler has: {kind: {word: its parameters}}."""
    listed = subprocess.run([nnc, "--doc", "no such word"], capture_output=True, text=True)
    found = {}
    for name in listed.stderr.split("help: there are")[1].split():
        text = subprocess.run([nnc, "--doc", name], capture_output=True, text=True).stdout
        kind = text.split()[0]
        rows = re.findall(r"^  (\w+) +.*; (?:required|optional|.* by default)$", text, re.M)
        found.setdefault(kind, {})[name] = " ".join(rows).lower()
    return found


def unknown(found):
    """What KNOWN does not have, or the compiler no longer has: messages."""
    problems = []
    for kind, known in KNOWN.items():
        has = found.get(kind, {})
        for name in sorted(set(known) | set(has)):
            if has.get(name) != known.get(name):
                problems.append("%s %s: nnc --doc has %r, tests/random/draw.py %r"
                                % (kind, name, has.get(name), known.get(name)))
    return problems + ["nnc --doc has %ss, tests/random/draw.py does not know them" % kind
                       for kind in found if kind not in KNOWN and kind not in ELSEWHERE]


class Program:
    """statements: plain ones, as layers come; sections: text; files: {name: sugared text}."""

    def __init__(self, seed):
        self.seed, self.name = seed, "r%d" % seed
        self.statements, self.options, self.files = [], [], {}

    def plain(self):
        return self.sections + "\n".join(self.statements) + "\n"


def size2(a, b):
    return str(a) if a == b else "%dx%d" % (a, b)


class Drawing:
    def __init__(self, seed, kernels, again=0):
        self.r = random.Random(seed + (again << 32))
        self.p = Program(seed)
        self.macs, self.names = 0, 0
        self.kernels = kernels
        self.often = 0.35  # strides and dilations; 0: as conv_fft wants it

    def chance(self, p):
        return self.r.random() < p

    def pick(self, list):
        return self.r.choice(list)

    # ---- words with arguments

    def activation(self):
        name = self.pick(sorted(KNOWN["activation"]))
        if KNOWN["activation"][name] and self.chance(0.6):
            return "%s(%s)" % (name, self.pick(["0.1", "0.25", "0.7", "1/3", "1.5", "0"]))
        return name

    def init(self):
        name = self.pick(sorted(KNOWN["initialiser"]))
        if KNOWN["initialiser"][name] and self.chance(0.7):
            return "%s(%s)" % (name, self.pick(["0.1", "0.02", "1/7", "0.5"]))
        return name

    def extras(self, init=True):
        """Keys that all layers with weights share."""
        words = []
        if init and self.chance(0.25):
            words.append("bias=" + self.pick(["false", "true"]) if self.chance(0.7) else "bias=false")
        if init and self.chance(0.35):
            words.append("init=" + self.init())
        if self.chance(0.1):
            self.names += 1
            words.append('name="own%d"' % self.names)
        return words

    def statement(self, *words):
        words = [str(w) for w in words if w]
        self.p.statements.append(" ".join(words) + ";")

    # ---- layers: each takes the shape it gets, and returns its own or None

    def window(self, shape, conv):
        """Along both axes: sizes, strides, dilations, and a padding that suits them."""
        for _ in range(50):
            k = [self.pick([1, 2, 3, 3, 4, 5, 7] if conv else [1, 2, 2, 3, 3, 4]) for _ in "hw"]
            if self.chance(0.5):
                k[1] = k[0]
            s = [self.pick([1, 2, 3]) for _ in "hw"] if self.chance(self.often) else None
            d = [self.pick([1, 2, 3]) for _ in "hw"] if conv and self.chance(0.7 * self.often) else [1, 1]
            step = s or ([1, 1] if conv else k)
            reach = [d[i] * (k[i] - 1) + 1 for i in (0, 1)]
            padding = self.pick(["same", "valid", "number", None])
            if padding == "number":
                padding = str(self.r.randint(0, min(reach) - 1))
            if (padding or ("same" if conv else "valid")) == "same":
                out = [-(-shape[i] // step[i]) for i in (0, 1)]
            else:
                more = 2 * int(padding) if padding and padding.isdigit() else 0
                out = [(shape[i] + more - reach[i]) // step[i] + 1
                       if shape[i] + more >= reach[i] else 0 for i in (0, 1)]
            if min(out) < 1:
                continue
            keys = ["stride=" + size2(*s)] if s else []
            keys += ["padding=" + padding] if padding else []
            keys += ["dilation=" + size2(*d)] if d != [1, 1] else []
            self.r.shuffle(keys)
            return k, out, keys
        return None

    def conv(self, shape):
        found = self.window(shape, True)
        filters = self.pick(CHANNELS if self.often else [8, 9, 16, 17])
        if not found or not self.afford(found[1][0] * found[1][1] * filters * shape[2]
                                        * found[0][0] * found[0][1]):
            return None
        k, out, keys = found
        act = self.activation() if self.chance(0.8) else ""
        order = [str(filters), "%dx%d" % tuple(k), act]
        if self.chance(0.2):
            order = [act] + order[:2]  # by their forms, not their places
        self.statement("conv", *order, *keys, *self.extras())
        return (*out, filters)

    def pool(self, word, shape):
        found = self.window(shape, False)
        if not found:
            return None
        k, out, keys = found
        self.statement(word, size2(*k), *keys, *self.extras(False))
        return (*out, shape[2])

    def dense(self, shape, units=None):
        inputs = 1
        for side in shape:
            inputs *= side
        units = units or self.halved(self.pick(UNITS))
        if not self.afford(inputs * units):
            return None
        self.statement("dense", units, self.activation() if self.chance(0.8) else "",
                       *self.extras())
        return (units,)

    def halved(self, units):
        """Of some programs as many that two threads have one half of them each."""
        return (units + 63) // 64 * 64 if self.p.seed % 7 == 5 else units

    def afford(self, macs):
        if self.macs + macs > MACS:
            return False
        self.macs += macs
        return True

    def pointwise(self, shape):
        kind = self.r.randrange(3)
        if kind == 0:
            self.statement("dropout", self.pick(["0", "0.1", "0.25", "0.5", "1/3", "0.9"]),
                           *self.extras(False))
        elif kind == 1:
            self.statement("activation", self.activation(), *self.extras(False))
        else:
            word = self.activation().replace("(", " ").replace(")", "")
            self.statement(word, *self.extras(False))
        return shape

    def layer(self, shape):
        if len(shape) == 1:
            if self.chance(0.1):
                self.statement("flatten")
                return shape
            return self.dense(shape) if self.chance(0.6) else self.pointwise(shape)
        kind = self.r.random()
        if kind < 0.5:
            return self.conv(shape)
        if kind < 0.62:
            return self.pool("maxpool", shape)
        if kind < 0.72:
            return self.pool("avgpool", shape)
        if kind < 0.85:
            return self.pointwise(shape)
        if kind < 0.90:
            self.statement("globalavgpool", *self.extras(False))
            return (shape[2],)
        if kind < 0.95:
            self.statement("flatten", *self.extras(False))
            return (shape[0] * shape[1] * shape[2],)
        return self.dense(shape)

    # ---- a program

    def input(self):
        name = self.extras(False)
        if self.chance(0.15):
            shape = (self.pick(UNITS + [97, 130, 200]),)
            self.statement("input", shape[0], *name)
        elif self.chance(0.15):
            shape = (self.pick(SIDES), self.pick(SIDES), 1)
            self.statement("input", "%dx%d" % shape[:2], *name)
        else:
            shape = (self.pick(SIDES), self.pick(SIDES), self.pick([1, 1, 2, 3, 5, 8, 9]))
            self.statement("input", "%dx%dx%d" % shape, *name)
        return shape

    def end(self, shape):
        """The classes: by dense, or by conv and globalavgpool."""
        classes = self.pick([2, 3, 4, 5, 7, 10, 11, 16, 17])
        act = self.pick(["softmax", "softmax", "", "sigmoid", "tanh", "softplus"])
        if len(shape) == 3 and self.chance(0.2) and self.afford(shape[0] * shape[1] * shape[2] * classes):
            self.statement("conv", classes, "1x1")
            self.statement("globalavgpool")
        else:
            self.macs = 0
            self.statement("dense", classes, act if self.chance(0.8) else "", *self.extras())
        if self.chance(0.15):
            self.statement("softmax")
        self.p.classes = classes

    def optimizer(self):
        if self.chance(0.5):
            words = ["sgd", "lr=" + self.pick(["0.05", "0.1", "0.01"])]
            if self.chance(0.6):
                words.append("momentum=" + self.pick(["0.9", "0.5"]))
                words += ["nesterov"] if self.chance(0.5) else []
        else:
            words = ["adam", "lr=" + self.pick(["1e-2", "1e-3", "3e-3"])]
            words += ["epsilon=" + self.pick(["1e-3", "1e-2"])] if self.chance(0.8) else []
            words += ["beta1=0.8"] if self.chance(0.3) else []
            words += ["beta2=0.98"] if self.chance(0.3) else []
        words += ["weight_decay=" + self.pick(["0.01", "0.1"])] if self.chance(0.3) else []
        if words[0] == "sgd" and len(words) == 2 and self.chance(0.2):
            words.pop()
        return " ".join(words)

    def sections(self):
        kind = self.pick(["bytes", "bytes", "floats", "none"])
        scale = self.pick(["1/255", "1/128", "0.01", "0.0037"])
        text = ""
        if kind == "bytes":
            text = 'data idx "data" {\n\tscale %s;\n}\n' % scale
        elif kind == "floats":
            scale = self.pick(["1", "0.5", "-1/3"])
            text = 'data npy "data" {\n\tscale %s;\n}\n' % scale
        self.p.kind = kind
        self.p.batch = self.pick(BATCHES)
        self.p.sections = "%strain {\n\tbatch %d;\n\tloss %s;\n\toptimizer %s;\n\tseed %d;\n}\n" % (
            text, self.p.batch, self.pick(sorted(KNOWN["loss"])), self.optimizer(),
            self.r.randrange(1, 1000))

    def draw(self):
        self.sections()
        shape = self.input()
        self.p.sample = 1
        for side in shape:
            self.p.sample *= side
        layers = self.r.randrange(1, 7)
        if self.chance(0.3):
            self.often, layers = 0, max(layers, 3)
        for _ in range(layers):
            before = len(self.p.statements)
            found = self.layer(shape) or self.layer(shape)
            if not found:
                continue
            if found == shape and self.chance(0.25) and "name=" not in self.p.statements[-1]:
                more = self.r.randint(1, 2)  # for a repeat
                self.p.statements += self.p.statements[before:] * more
            shape = found
        self.end(shape)
        if self.chance(0.5):
            likely = self.pick((0.08, 0.4))  # one that is seldom the cheapest is asked for alone
            self.p.options = ["--kernel=" + k for k in self.kernels if self.chance(likely)]
        sweeten(self.r, self.p)
        return self.p


# ---- the same with constants, repeats, blocks and includes


def constant(r, text, p):
    """Some of the integers as constants, or computed; with values given by -D."""
    head = []

    def replace(match):
        if r.random() > 0.3:
            return match.group(0)
        value, name = int(match.group(2)), "c%d" % len(head)
        first = value if r.random() < 0.6 else value + 3
        if first != value:
            p.defines += ["-D", "%s=%d" % (name, value)]
        if r.random() < 0.3 and first == value:
            head.append("const %s=%d;" % (name, value + 2))
            return "%s(%s - 2)" % (match.group(1), name)
        if r.random() < 0.2 and first == value:
            head.append("const %s=%d;" % (name, value))
            return "%s(%s * 3 / 3 + 7 %% 7)" % (match.group(1), name)
        head.append("const %s=%d;" % (name, first))
        return match.group(1) + name

    text = re.sub(r"((?:dense|conv|stride=|padding=|batch) ?)(\d+)(?=[ ;])", replace, text)
    return "\n".join(head) + "\n" + text if head else text


def repeats(r, statements):
    result, i = [], 0
    while i < len(statements):
        run = 1
        while i + run < len(statements) and statements[i + run] == statements[i]:
            run += 1
        if run > 1 and r.random() < 0.8:
            result.append("repeat %d {\n\t%s\n}" % (run, statements[i]))
        else:
            result += statements[i:i + run]
        i += run
    return result


def sweeten(r, p):
    p.defines = []
    lines = repeats(r, p.statements)
    main = p.name + ".nn"
    if len(lines) > 2 and r.random() < 0.3:
        first = r.randrange(1, len(lines) - 1)
        last = r.randrange(first, len(lines) - 1) + 1
        body = lines[first:last]
        block = "block part(unused, also=3) {\n%s\n}" % "\n".join(body)
        lines = [block] + lines[:first] + ["part %d;" % r.randrange(9)] + lines[last:]
    elif len(lines) > 2 and r.random() < 0.3:
        cut = r.randrange(1, len(lines))
        p.files["part_%s.nn" % p.name] = "\n".join(lines[cut:]) + "\n"
        lines = lines[:cut] + ['include "part_%s.nn";' % p.name]
    text = p.sections + "\n".join(lines) + "\n"
    p.files[main] = constant(r, text, p) if r.random() < 0.5 else text
