"""Are the numbers that a program came to those of its reference?"""
import numpy as np

import files
from network import split
from reference import EVALUATE, GRADIENTS, INFER, STEP, ratio

BOUND = {False: 1e-5, True: 1e-9}  # in float, in double
STEP_BOUND = {False: 1e-4, True: 1e-7}  # of what a step moves
# Of the largest of all tensors: less is not told apart. The gradient of a saturated tanh,
# 1 - y^2, is off by the last bit of 1, however small it is.
FLOOR = {False: 1e-3, True: 1e-6}
LAST_BITS = {False: 2.0**-22, True: 2.0**-51}
DIVERGED = 1e4  # a loss that float cannot follow


def values(kind, e, before):
    """What is compared of a run, by name."""
    result = {} if kind == INFER else {"the loss": np.array([e["loss"]])}
    if kind in (INFER, EVALUATE):
        result["the output"] = e["output"]
    elif kind == GRADIENTS:
        result.update(e["grads"])
    else:
        result.update({k: after - before[k] for k, after in e["after"].items()})
    return result


def found_run(kind, i, found, e):
    """The same from the file that driver.c saved."""
    get = lambda name: found["%d/%s" % (i, name)]
    ours = {} if kind == INFER else {"loss": get(" score")[0][0]}
    if kind in (INFER, EVALUATE):
        ours["output"] = get(" output")
    else:
        what = "grads" if kind == GRADIENTS else "after"
        ours[what] = {k: get(k).reshape(g.shape) for k, g in e["grads"].items()}
    return ours


class Judge:
    def __init__(self, reference, path, wide):
        self.reference, self.wide = reference, wide
        self.found = files.read_tensors(path)
        self.worst, self.loosened = 0, 0  # loosened: what nothing but last_bits() excused
        self.changes = None

    def last_bits(self, run, name):
        """By how much a number changes with the last bits of all that it is computed from:
        where much cancels out, or steps lead apart, it can be known no better."""
        if self.changes is None:
            self.changes = [{} for _ in self.reference.runs]
            expected = self.reference.expected
            replays = [self.reference.nudged(LAST_BITS[self.wide], seed) for seed in range(4)]
            for again in replays if self.wide else replays + [self.reference.narrow()]:
                for i, (kind, *_) in enumerate(self.reference.runs):
                    before = expected[i].get("before")
                    base = values(kind, expected[i], before)
                    for key, value in values(kind, again[i], before).items():
                        change = np.abs(value - base[key]).max()
                        self.changes[i][key] = max(self.changes[i].get(key, 0), change)
        return self.changes[run][name]

    def compare(self, run, name, ours, expected, limit, floor):
        """None, or what is wrong."""
        size = max(np.abs(expected).max(), floor)
        error = np.abs(ours - expected).max() if np.all(np.isfinite(ours)) else np.inf
        allowed = limit * size
        if not error <= allowed:
            allowed += 4 * self.last_bits(run, name)
            self.loosened += error <= allowed
        self.worst = max(self.worst, error / allowed if error > 0 else 0)
        if error <= allowed:
            return None
        return "run %d: %s differs by %.2e" % (run, name, error / size if size > 0 else error)

    def run(self, i, kind, e, steps):
        """None, or what is wrong; after so many steps."""
        ours = values(kind, found_run(kind, i, self.found, e), e.get("before"))
        expected = values(kind, e, e.get("before"))
        tensors = [v for k, v in expected.items() if not k.startswith("the ")]
        largest = max((np.abs(v).max() for v in tensors), default=0)
        limit = STEP_BOUND[self.wide] * steps if steps else BOUND[self.wide]
        for name, value in expected.items():
            floor = 0 if name.startswith("the ") else FLOOR[self.wide] * largest
            kept = np.ones(value.shape, bool)
            if kind == STEP and name in e["grads"]:
                if not self.wide:  # a weight is known to its last bit only
                    floor = max(floor, 2.0**-23 * np.abs(e["after"][name]).max() / limit)
                if self.noisy():
                    kept = np.abs(e["grads"][name]) > 1e-3 * max(
                        np.abs(g).max() for g in e["grads"].values())
            if kept.any():
                why = self.compare(i, name, ours[name][kept], value[kept], limit, floor)
                if why:
                    return why
        if kind == EVALUATE and e["clear"]:
            correct = self.found["%d/ score" % i][0][1]
            if correct != e["correct"]:
                return "run %d: %d are right, not %d" % (i, correct, e["correct"])
        return None

    def noisy(self):
        """Adam with a tiny epsilon: a rounding error becomes a step as large as any."""
        args, keys = self.reference.settings["optimizer"]
        return args[0] == "adam" and float(keys.get("epsilon", "1e-8")) < 1e-4 and not self.wide

    def judge(self):
        """None, or what is wrong."""
        steps = 0
        for i, ((kind, *_), e) in enumerate(zip(self.reference.runs, self.reference.expected)):
            if steps and (self.noisy() or abs(e.get("loss", 0)) > DIVERGED):
                break
            steps += kind == STEP
            why = self.run(i, kind, e, steps)
            if why:
                return why
        return judge_init(self.reference, self.found)


def judge_init(reference, found):
    """Initial weights: within their bounds, and of their deviation."""
    for name, (word, fan_in, fan_out) in reference.inits.items():
        init, argument = split(word)
        w = found["init/" + name]
        argument = ratio(argument) if argument else {"constant": 1}.get(init, 0.05)
        deviation = {"he": (2 / fan_in) ** 0.5, "lecun": fan_in ** -0.5, "normal": argument}.get(init)
        bound = {"glorot": (6 / (fan_in + fan_out)) ** 0.5, "pytorch": fan_in ** -0.5,
                 "uniform": argument}.get(init)
        if deviation is None and bound is None:
            if np.abs(w - np.float32(argument if init == "constant" else 0)).max() > 0:
                return "%s: not all are %s" % (name, word)
            continue
        if bound is not None:
            if np.abs(w).max() > bound * (1 + 1e-6):
                return "%s: %s goes up to %g, not %g" % (name, word, np.abs(w).max(), bound)
            deviation = bound / 3 ** 0.5
        n = w.size
        root = (w ** 2).mean() ** 0.5
        if n >= 30 and abs(root / deviation - 1) > 6 / (2 * n) ** 0.5:
            return "%s: the deviation of %s is %g, not %g" % (name, word, root, deviation)
    return None


def judge_extreme(reference, path):
    """What logits of 1e4 lead to."""
    found = files.read_tensors(path)
    for name, array in found.items():
        if not np.isfinite(array).all():
            return "logits of 1e4: %s is not finite" % name
    size = max(reference.extreme_size, abs(reference.extreme_loss))
    for run in (0, 1):
        loss = found["%d/ score" % run][0][0]
        if not abs(loss - reference.extreme_loss) <= 1e-4 * size:
            return "logits of 1e4: the loss is %g, not %g" % (loss, reference.extreme_loss)
    return None
