"""A .nn model in torch, in float64: built from its text alone, not from what nnc made of it."""
import re

import torch
import torch.nn.functional as F

ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": F.relu,
    "leaky_relu": lambda x, a=0.01: F.leaky_relu(x, a),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "elu": lambda x, a=1.0: F.elu(x, a),
    "selu": F.selu,
    "softplus": F.softplus,
    "swish": F.silu,
    "gelu": F.gelu,
    "softmax": lambda x: F.softmax(x, 1),  # over channels, or over the vector
}


def split(word):
    """leaky_relu(0.1) as ("leaky_relu", "0.1"); without an argument that is None."""
    return re.fullmatch(r"(\w+)(?:\((.*)\))?", word).groups()


KINKED = ("relu", "leaky_relu", "elu", "selu")  # another slope on each side of 0


def activate(x, word):
    name, argument = split(word)
    return ACTIVATIONS[name](x, float(argument)) if argument else ACTIVATIONS[name](x)


def pair(text, default):
    sides = [int(s) for s in (text or default).split("x")]
    return sides * 2 if len(sides) == 1 else sides


def pads(size, kernel, stride, dilation, padding):
    """(left, right, top, bottom) of an input of size (H, W), for F.pad."""
    result = []
    for n, k, s, d in reversed(list(zip(size, kernel, stride, dilation))):
        total = max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
        if padding == "same":
            result += [total // 2, total - total // 2]
        else:
            result += [0 if padding == "valid" else int(padding)] * 2
    return result


class Network:
    """Parameters by name, as leaves; x is (B, C, H, W) or (B, K)."""

    def __init__(self, layers, weights):
        self.layers = layers
        self.drop = None  # what dropout does: drop(x, its number, rate); None: nothing
        self.rounding = None  # what it does to every value: rounding(x); None: nothing
        self.margin = None  # of each sample, to the nearest kink; while smooth() runs
        self.weights = {k: torch.tensor(v, requires_grad=True) for k, v in weights.items()}

    def near(self, distance, x):
        """Notes how far x is from a kink, relative to its size. What is exactly on one (a
        window of zeros, values made equal by a relu) is so in any precision."""
        if self.margin is not None:
            distance = torch.where(distance == 0, torch.inf, distance)
            closest = distance.flatten(1).min(1).values / x.abs().max()
            self.margin = torch.minimum(self.margin, closest)

    def smooth(self, x, margin):
        """Which samples are at least that far from every kink."""
        self.margin = torch.full((len(x),), float("inf"), dtype=torch.float64)
        self(x)
        far, self.margin = torch.nonzero(self.margin > margin).flatten(), None
        return far

    def near_tie(self, x, padded, window, stride):
        """The two largest of each window."""
        if self.margin is None:
            return
        b, c = padded.shape[:2]
        columns = padded.unfold(2, window[0], stride[0]).unfold(3, window[1], stride[1])
        columns = columns.reshape(b, c, -1, window[0] * window[1])
        if columns.shape[3] > 1:
            top = columns.topk(2).values
            self.near(top[..., 0] - top[..., 1], x)

    def flat(self, x):
        """PyTorch's channels come first; files run height, width, channel."""
        return x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x

    def conv(self, x, name, args, keys):
        weight = self.weights[name + ".weight"]
        stride, dilation = pair(keys.get("stride"), "1"), pair(keys.get("dilation"), "1")
        around = pads(x.shape[2:], weight.shape[2:], stride, dilation,
                      keys.get("padding", "same"))
        return F.conv2d(F.pad(x, around), weight, self.weights.get(name + ".bias"), stride,
                        0, dilation)

    def pool(self, x, word, args, keys):
        window = pair(args[0], None)
        stride = pair(keys.get("stride"), args[0])
        around = pads(x.shape[2:], window, stride, (1, 1), keys.get("padding", "valid"))
        if word == "maxpool":
            padded = F.pad(x, around, value=-float("inf"))
            self.near_tie(x, padded, window, stride)
            return F.max_pool2d(padded, window, stride)
        total = F.avg_pool2d(F.pad(x, around), window, stride, divisor_override=1)
        inside = F.pad(torch.ones_like(x[:1, :1]), around)
        return total / F.avg_pool2d(inside, window, stride, divisor_override=1)

    def __call__(self, x):
        """The output; before a closing softmax, and after it."""
        counts, logits = {}, x
        for word, args, keys in self.layers:
            counts[word] = counts.get(word, 0) + 1
            name = keys.get("name", '"%s%d"' % (word, counts[word])).strip('"')
            if word == "conv":
                x = self.conv(x, name, args, keys)
            elif word in ("maxpool", "avgpool"):
                x = self.pool(x, word, args, keys)
            elif word == "globalavgpool":
                x = x.mean((2, 3))
            elif word == "flatten":
                x = self.flat(x)
            elif word == "dropout" and self.drop:
                x = self.drop(x, counts[word] - 1, float(args[0]))
            elif word == "dense":
                x = F.linear(self.flat(x), self.weights[name + ".weight"],
                             self.weights.get(name + ".bias"))
            word, args = (args[-1], args) if word == "activation" else (word, args)
            act = word
            if word in ("conv", "dense"):
                act = next((a for a in args if a[0].isalpha()), "linear")
            elif word in ACTIVATIONS and args and args[0][0].isdigit():
                act = "%s(%s)" % (word, args[0])
            x = self.rounding(x) if self.rounding else x
            logits = x
            if split(act)[0] in KINKED:
                self.near(x.abs(), x)
            if split(act)[0] in ACTIVATIONS:
                x = activate(x, act)
                x = self.rounding(x) if self.rounding else x
                logits = logits if act == "softmax" else x
        return logits, x

    def loss(self, x, labels, kind):
        logits, output = self(x)
        if kind == "mse":
            return F.mse_loss(output, F.one_hot(labels, output.shape[1]).to(output.dtype))
        return F.cross_entropy(logits, labels)

    def gradients(self, x, labels, kind):
        for w in self.weights.values():
            w.grad = None
        loss = self.loss(x, labels, kind)
        loss.backward()
        return loss.item(), {k: w.grad.numpy() for k, w in self.weights.items()}
