"""A .nn model in normal form as plain lists and dicts, from which every peer builds the same."""
import math
import re

ACTIVATIONS = {"linear": 0, "relu": 0, "leaky_relu": 0.01, "tanh": 0, "sigmoid": 0, "elu": 1.0,
               "selu": 0, "softplus": 0, "swish": 0, "gelu": 0}
KNOWN = {  # layers the peers have, and the keys of them that they understand
    "input": (), "flatten": (), "globalavgpool": (), "dropout": (), "activation": (),
    "dense": ("bias",), "conv": ("stride", "padding", "bias"),
    "maxpool": ("stride", "padding"), "avgpool": ("stride", "padding"),
}
NO_MATTER = ("name", "init")  # nothing that takes time
OPTIMIZERS = {"sgd": {"lr": 0.01, "momentum": 0.0}, "adam": {"lr": 0.001}}
SAMPLES, BYTES = 10000, 64 << 20  # made up by `bench`, which has them in runtime/bench.c


class Unsupported(Exception):
    """Something that the peers are not taught."""


def number(text):
    top, _, bottom = text.partition("/")
    return float(top) / float(bottom or 1)


def pair(text):
    sides = [int(s) for s in text.split("x")]
    return sides * 2 if len(sides) == 1 else sides


def read_statements(text):
    """(section or None, name, positional arguments, keyed arguments) of each line."""
    section = None
    for line in text.splitlines():
        words = re.findall(r'(?:[^\s"]|"[^"]*")+', line.strip().rstrip(";"))
        if not words:
            continue
        if words[0] == "}":
            section = None
            continue
        keys = dict(w.split("=", 1) for w in words[1:] if "=" in w and w[0] != '"')
        place = [w for w in words[1:] if "=" not in w]
        if words[-1] == "{":
            if section or words[0] not in ("data", "train", "tune"):
                raise Unsupported(words[0] + " with a body")
            section = words[0]
        yield section, words[0], place, keys


def retrain(text, batch=None, optimizer=None):
    """The same model with another batch or optimizer."""
    lines, settings, inside = [], [], False
    for line in text.splitlines():
        if re.match(r"train\b.*\{", line):
            inside = True
        elif inside and line.startswith("}"):
            inside = False
        elif inside:
            settings.append(line)
        elif not line.startswith("expect "):
            lines.append(line)
    for name, value in (("batch", batch), ("optimizer", optimizer)):
        if value is not None:
            settings = [s for s in settings if s.split()[0] != name]
            settings.append("\t%s %s;" % (name, value))
    return "\n".join(["train {"] + settings + ["}"] + lines) + "\n"


def activation(words):
    for word in words:
        name, argument = re.fullmatch(r"([A-Za-z]\w*)(?:\((.*)\))?|.*", word).groups()
        if name == "softmax" or name in ACTIVATIONS:
            alpha = (argument or "").split("=")[-1]
            return {"kind": name, "alpha": number(alpha) if alpha else ACTIVATIONS.get(name)}
    return None


def pads(size, window, stride, padding):
    """[[top, bottom], [left, right]]; `same` puts the odd one behind, as TensorFlow does."""
    result = []
    for n, k, s in zip(size, window, stride):
        total = max(0, (-(-n // s) - 1) * s + k - n)
        if padding == "same":
            result.append([total // 2, total - total // 2])
        else:
            result.append([0 if padding == "valid" else int(padding)] * 2)
    return result


def window_layer(kind, shape, place, keys):
    numbers = [w for w in place if w[0].isdigit()]
    if len(shape) != 3:
        raise Unsupported("%s of a vector" % kind)
    h, w, c = shape
    window = pair(numbers[-1])
    stride = pair(keys["stride"]) if "stride" in keys else [1, 1] if kind == "conv" else window
    padding = keys.get("padding", "same" if kind == "conv" else "valid")
    around = pads((h, w), window, stride, padding)
    if kind == "avgpool" and around != [[0, 0], [0, 0]]:
        raise Unsupported("avgpool with padding")
    out = [(n + sum(p) - k) // s + 1 for n, p, k, s in zip((h, w), around, window, stride)]
    layer = {"kind": kind, "window": window, "stride": stride, "pads": around,
             "same": padding == "same", "inputs": c,
             "outputs": int(numbers[0]) if kind == "conv" else c}
    return layer, out + [layer["outputs"]]


def read_layer(kind, shape, place, keys):
    """What the peers build, without its activation; the shape of its output."""
    if kind == "dense":
        units = int(next(w for w in place if w.isdigit()))
        return {"kind": kind, "inputs": math.prod(shape), "outputs": units}, [units]
    if kind in ("conv", "maxpool", "avgpool"):
        return window_layer(kind, shape, place, keys)
    if kind == "globalavgpool":
        return {"kind": kind}, shape[2:]
    if kind == "flatten":
        return {"kind": kind}, [math.prod(shape)]
    return {"kind": kind, "rate": number(place[0])}, shape  # dropout


def read_data(net, name, place):
    if name == "data":
        if place[0] in ("csv", "npy"):
            raise Unsupported("data that is not in bytes")
        net["scale"] = 1.0
    elif name == "scale":
        net["scale"] = number(place[0])
    elif name not in ("train", "validation", "test"):
        raise Unsupported("data { %s }" % name)


def read_statement(net, shape, name, place, keys):
    """Appends what the statement adds, a layer and its activation; the shape after it."""
    unknown = [k for k in keys if k not in KNOWN.get(name, ()) + NO_MATTER]
    if unknown:
        raise Unsupported("%s %s=" % (name, unknown[0]))
    if name == "input":
        net["input"] = [int(s) for s in place[0].split("x")]
        return net["input"] + [1] if len(net["input"]) == 2 else net["input"]
    if name in ACTIVATIONS or name == "softmax":
        place = [name + "(%s)" % place[0] if place else name]
    elif name not in KNOWN:
        raise Unsupported(name)
    elif name != "activation":
        if name == "dense" and len(shape) == 3:
            net["layers"].append({"kind": "flatten"})
        layer, shape = read_layer(name, shape, place, keys)
        layer["bias"] = keys.get("bias", "true") == "true"
        net["layers"].append(layer)
    act = activation(place)
    if act and act["kind"] != "linear":
        net["layers"].append(act)
    return shape


def read_net(text):
    """All that a peer has to know of a model; Unsupported when that is not all of it."""
    net = {"batch": 32, "scale": 1 / 255, "layers": [],
           "optimizer": dict(OPTIMIZERS["adam"], name="adam")}
    shape = None
    for section, name, place, keys in read_statements(text):
        if section == "data" or name == "data":
            read_data(net, name, place)
        elif section == "train":
            read_setting(net, name, place, keys)
        elif section is None and name != "expect":
            shape = read_statement(net, shape, name, place, keys)
    kinds = [layer["kind"] for layer in net["layers"]]
    if "softmax" not in kinds or kinds.index("softmax") != len(kinds) - 1:
        raise Unsupported("a model that does not end with its only softmax")
    net["layers"].pop()  # the loss has it; inference adds it again
    if len(net["input"]) == 2:
        net["input"].append(1)
    net["picture"] = net["input"] if len(net["input"]) == 3 else [1] + net["input"] + [1]
    if net["layers"][0]["kind"] == "flatten":
        net["layers"].pop(0)
        net["input"] = [math.prod(net["input"])]
    net["classes"] = shape[0]
    net["samples"] = max(min(SAMPLES, BYTES // math.prod(net["input"])), net["batch"])
    return net


def read_setting(net, name, place, keys):
    if name == "batch":
        net["batch"] = int(place[0])
    elif name == "optimizer":
        unknown = [k for k in keys if k not in OPTIMIZERS.get(place[0], ())] + place[1:]
        if place[0] not in OPTIMIZERS or unknown:
            raise Unsupported("optimizer " + " ".join(place[:1] + unknown))
        net["optimizer"] = dict(OPTIMIZERS[place[0]], name=place[0])
        net["optimizer"].update((k, number(v)) for k, v in keys.items())
    elif name == "loss" and (place != ["cross_entropy"] or keys):
        raise Unsupported("loss " + place[0])
    elif name in ("schedule", "clip"):
        raise Unsupported("train { %s }" % name)
