"""
What a program must come to, by PyTorch in float64: the case for driver.c (weights,
samples, a list of runs) and the numbers of each run. Samples are picked so that none is
near a kink of relu or maxpool, where float may see its other side.
"""
import json
import re
import struct

import numpy as np
import torch

import files
from network import Network, split

MARGIN = 3e-6
POOL = 160  # samples to pick from
GRADIENTS, STEP, INFER, EVALUATE = range(4)
DEFAULT_INIT = {"elu": "he", "gelu": "he", "leaky_relu": "he", "relu": "he", "softplus": "he",
                "swish": "he", "selu": "lecun"}  # else glorot
torch.set_num_threads(1)
# In float, oneDNN's gradients of small convolutions have been memory that nobody wrote.
torch.backends.mkldnn.enabled = False


class NoSamples(Exception):
    """Every sample is near some kink: the program says nothing."""


def philox(counter, key):
    """Philox 4x32-10; counter is a list of four arrays."""
    x = [np.asarray(c, np.uint64) & 0xFFFFFFFF for c in np.broadcast_arrays(*counter)]
    k0, k1 = key
    for _ in range(10):
        a, b = x[0] * 0xD2511F53, x[2] * 0xCD9E8D57
        x = [(b >> np.uint64(32)) ^ x[1] ^ np.uint64(k0), b & 0xFFFFFFFF,
             (a >> np.uint64(32)) ^ x[3] ^ np.uint64(k1), a & 0xFFFFFFFF]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return x


def dropout(seed, epoch, step):
    """What Network.drop does in that step: by the definition in runtime/nnc_vec.h."""
    def drop(x, number, rate):
        size = x[0].numel()
        e = np.arange(size)
        words = philox([epoch, step, np.arange(len(x))[:, None], (e // 64 * 16 + e % 16)[None, :]],
                       (seed, 256 + number))
        draw = np.choose(((e // 16) % 4)[None, :], words)
        kept = torch.tensor(draw >= int("%.0f" % min(rate * 2.0**32, 2.0**32 - 1)))
        if x.dim() == 4:  # elements run height, width, channel
            b, c, h, w = x.shape
            kept = kept.reshape(b, h, w, c).permute(0, 3, 1, 2)
        return torch.where(kept, x / (1 - rate), torch.zeros_like(x))
    return drop


def rounded(array):
    return array.astype(np.float32).astype(np.float64)


def copies(tensors):
    return {k: w.detach().numpy().copy() for k, w in tensors.items()}


def ratio(text):
    parts = text.split("/")
    return float(parts[0]) / float((parts + ["1"])[1])


def with_ratios(layers):
    """network.py reads arguments by float()."""
    def number(word):
        return re.sub(r"-?[\d.]+/\d+", lambda m: repr(ratio(m.group(0))), word)
    return [(word, [number(a) for a in args], keys) for word, args, keys in layers]


class Reference:
    def __init__(self, program, normal):
        layers, self.settings = files.read_model(normal)
        self.program, self.layers = program, with_ratios(layers[1:])
        self.input = [int(s) for s in layers[0][1][0].split("x")]
        self.loss = self.settings["loss"][0][0]
        self.seed = int(self.settings["seed"][0][0])
        self.random = np.random.RandomState(program.seed)
        self.batch = program.batch
        self.draw_samples()
        self.draw_weights()
        self.draw_runs()

    # ---- samples and weights

    def draw_samples(self):
        shape = self.input + [1] if len(self.input) == 2 else self.input
        r = self.random
        if self.program.kind == "bytes":
            self.samples = r.randint(0, 256, [POOL] + shape).astype(np.uint8)
        else:
            self.samples = r.uniform(-1, 1, [POOL] + shape).astype(np.float32)
        scale = ratio(self.settings.get("scale", (["1"], {}))[0][0])
        x = torch.tensor(self.samples.astype(np.float64)) * scale
        self.x = x.permute(0, 3, 1, 2) if x.dim() == 4 else x
        self.labels = torch.tensor(r.randint(0, self.program.classes, POOL))

    def draw_weights(self):
        """As wide as He's, so that signals neither vanish nor explode; of float's values."""
        self.weights, self.inits = {}, {}  # float64 of float's values
        x, counts = self.x[:1], {}
        net = Network([], {})
        for word, args, keys in self.layers:
            counts[word] = counts.get(word, 0) + 1
            name = keys.get("name", '"%s%d"' % (word, counts[word])).strip('"')
            if word in ("conv", "dense"):
                numbers = [a for a in args if a[0].isdigit()]
                act = next((a for a in args if a[0].isalpha()), "linear")
                out = int(min(numbers, key=lambda a: "x" in a))
                taps = []
                if word == "conv":
                    kernel = next(a for a in numbers if "x" in a)
                    taps = [int(s) for s in kernel.split("x")]
                inputs = x.shape[1] if word == "conv" else net.flat(x).shape[1]
                self.add_weight(name, [out, inputs] + taps, act, keys)
            one = Network([(word, args, {**keys, "name": '"%s"' % name})], self.weights)
            with torch.no_grad():
                x = one(x)[1] if word != "flatten" else net.flat(x)
        if x.dim() == 4:
            raise ValueError("%s ends with an image" % self.program.name)

    def add_weight(self, name, shape, act, keys):
        r = self.random
        taps = int(np.prod(shape[2:]))
        fan_in, fan_out = shape[1] * taps, shape[0] * taps
        wide = (2.0 / fan_in) ** 0.5
        self.weights[name + ".weight"] = rounded(r.normal(0, wide, shape))
        self.inits[name + ".weight"] = (
            keys.get("init", DEFAULT_INIT.get(split(act)[0], "glorot")), fan_in, fan_out)
        if keys.get("bias") != "false":
            self.weights[name + ".bias"] = rounded(r.normal(0, 0.2, shape[:1]))
            self.inits[name + ".bias"] = ("zeros", fan_in, fan_out)

    # ---- runs

    def pick(self, net, rows):
        """Samples for the rows of a batch, each away from every kink in its row."""
        index = self.random.randint(0, POOL, rows)
        for _ in range(200):
            with torch.no_grad():
                far = net.smooth(self.x[index], MARGIN).numpy()
            near = np.setdiff1d(np.arange(rows), far)
            if not len(near):
                return index
            index[near] = self.random.randint(0, POOL, len(near))
        raise NoSamples()

    def draw_runs(self):
        B = self.batch
        part = self.random.randint(1, B) if B > 1 else 1
        less = self.random.randint(1, B) if B > 1 else 1
        net = Network(self.layers, self.weights)
        optimizer = torch_optimizer(net.weights.values(), self.settings["optimizer"])
        self.runs, self.expected = [], []
        for kind, rows, drop in [
                (GRADIENTS, B, False), (GRADIENTS, part, False), (GRADIENTS, B, True),
                (GRADIENTS, less, True), (INFER, B, False), (EVALUATE, part, False),
                (STEP, B, True), (STEP, less, True), (STEP, B, True), (STEP, B, False),
                (EVALUATE, B, False), (GRADIENTS, B, False), (INFER, less, False)]:
            epoch, step = self.random.randint(0, 50, 2)
            net.drop = dropout(self.seed, epoch, step) if drop else None
            index = self.pick(net, rows)
            self.runs.append((kind, epoch, step, drop, index))
            self.expected.append(
                self.expect(net, optimizer, kind, self.x[index], self.labels[index]))

    def expect(self, net, optimizer, kind, x, labels):
        if kind in (GRADIENTS, STEP):
            loss, grads = net.gradients(x, labels, self.loss)
            result = {"loss": loss, "grads": {k: v.copy() for k, v in grads.items()},
                      "before": copies(net.weights)}
            if kind == STEP:
                optimizer.step()
                result["after"] = copies(net.weights)
            return result
        with torch.no_grad():
            logits, output = net(x)
            answer = output if self.loss == "mse" else torch.softmax(logits, 1)
            best = answer.topk(2, 1).values
            return {"loss": net.loss(x, labels, self.loss).item(), "output": answer.numpy(),
                    "correct": (answer.argmax(1) == labels).sum().item(),
                    "clear": bool((best[:, 0] - best[:, 1]).min() > 1e-5)}

    def nudged(self, amplitude, seed):
        """What the same runs come to with other last bits of weights, samples, and all that
        is computed on the way there and back."""
        r = np.random.RandomState(seed)

        def other(a):
            return a * (1 + amplitude * r.choice([-1.0, 1.0], a.shape))

        def rounding(x):
            x = x * torch.tensor(other(np.ones(x.shape)))
            if x.requires_grad:
                x.register_hook(lambda g: g * torch.tensor(other(np.ones(g.shape))))
            return x

        return self.replay({k: other(w) for k, w in self.weights.items()},
                           torch.tensor(other(self.x.numpy())), rounding)

    def narrow(self):
        """What PyTorch comes to in float."""
        return self.replay({k: w.astype(np.float32) for k, w in self.weights.items()},
                           self.x.float(), None)

    def replay(self, weights, x, rounding):
        net = Network(self.layers, weights)
        net.rounding = rounding
        optimizer = torch_optimizer(net.weights.values(), self.settings["optimizer"])
        result = []
        for kind, epoch, step, drop, index in self.runs:
            net.drop = dropout(self.seed, epoch, step) if drop else None
            result.append(self.expect(net, optimizer, kind, x[index], self.labels[index]))
        return result

    # ---- logits of 1e4

    def save_extreme(self, weights, case):
        """The same with the last weights so large that logits, or what else it ends with,
        are 1e4: what comes of it must be finite."""
        last = [name for name in self.weights if name.endswith(".weight")][-1]
        net = Network(self.layers, self.weights)
        index = self.runs[0][4]
        with torch.no_grad():
            largest = net(self.x[index])[0].abs().max().item()
        wide = {**self.weights, last: rounded(self.weights[last] * (1e4 / max(largest, 1e-3)))}
        net = Network(self.layers, wide)
        with torch.no_grad():
            self.extreme_size = net(self.x[index])[0].abs().max().item()
            self.extreme_loss = net.loss(self.x[index], self.labels[index], self.loss).item()
        self.save(weights, case, wide, [(kind, 1, 1, False, index)
                                        for kind in (GRADIENTS, EVALUATE, INFER)])

    # ---- files

    def save(self, weights, case, values=None, runs=None):
        values, runs = values or self.weights, runs or self.runs
        write_tensors(weights, values)
        words = np.int32
        raw = self.samples.tobytes()
        raw += bytes(-len(raw) % 4)
        with open(case, "wb") as f:
            f.write(struct.pack("<IIII", self.program.kind == "bytes", self.seed, POOL, len(raw) // 4))
            f.write(self.labels.numpy().astype(words).tobytes() + raw)
            f.write(struct.pack("<I", len(runs)))
            for kind, epoch, step, drop, index in runs:
                f.write(struct.pack("<IIIII", kind, epoch, step, drop, len(index)))
                f.write(index.astype(words).tobytes())


def torch_optimizer(parameters, setting):
    args, keys = setting
    v = {k: ratio(x) for k, x in keys.items()}
    decay = v.get("weight_decay", 0)
    if args[0] == "sgd":
        return torch.optim.SGD(parameters, v.get("lr", 0.01), momentum=v.get("momentum", 0),
                               weight_decay=decay, nesterov="nesterov" in args)
    return torch.optim.Adam(parameters, v.get("lr", 1e-3), (v.get("beta1", 0.9), v.get("beta2", 0.999)),
                            v.get("epsilon", 1e-8), decay)


def write_tensors(path, tensors):
    header, at, data = {}, 0, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape),
                        "data_offsets": [at, at + len(raw)]}
        at += len(raw)
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)
