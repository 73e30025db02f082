"""
Compiled models against PyTorch in float64: loss and every gradient of a batch, scores of
the test part, weights that a training run saved, and five steps of every optimizer.
usage: parity.py BUILD TMP LIBRARIES...   (from the root of the project)
"""
import glob
import json
import os
import subprocess
import sys

import numpy as np
import torch

import files
from network import Network

HERE = os.path.dirname(os.path.abspath(__file__))
FASHION = "/usr/share/datasets/fashion-mnist"
SAMPLES = 200  # of each part: float64 convolutions take their time
MARGIN = 1e-6  # what is nearer to a kink, float may see on its other side
BOUND = 1e-5
FLAGS = os.environ.get("CFLAGS", "")  # the sanitizers, under SAN=1
torch.set_num_threads(1)


class Failed(Exception):
    pass


def run(*args, **more):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    if done.returncode:
        raise Failed("%s: status %d\n%s" % (" ".join(args[:3]), done.returncode, done.stderr))
    return done.stdout


def table(name):
    with open(os.path.join(HERE, name)) as f:
        for line in f:
            if line.strip() and line[0] != "#":
                yield [field.strip() for field in line.split("|")]


# ---- data


def write_data(folder, shape, classes, seed):
    """Random images in IDX files, of any rank."""
    random = np.random.RandomState(seed)
    os.makedirs(folder)
    for part in ("train", "t10k"):
        images = random.randint(0, 256, [SAMPLES] + shape)
        files.write_idx("%s/%s-images-idx%d-ubyte.gz" % (folder, part, len(shape) + 1), images)
        files.write_idx("%s/%s-labels-idx1-ubyte.gz" % (folder, part),
                        random.randint(0, classes, SAMPLES))


def copy_fashion(folder):
    """The first samples of Fashion-MNIST."""
    os.makedirs(folder)
    for name in os.listdir(FASHION):
        files.write_idx("%s/%s" % (folder, name), files.read_idx("%s/%s" % (FASHION, name))[:SAMPLES])


def load_data(folder, part, settings):
    """Samples as torch has them, (N, C, H, W) or (N, K), scaled; labels."""
    images = files.read_idx(glob.glob("%s/%s-images*" % (folder, part))[0])
    labels = files.read_idx(glob.glob("%s/%s-labels*" % (folder, part))[0])
    scale = settings.get("scale", (["1"], {}))[0][0].split("/")
    x = torch.tensor(images.astype(np.float64)) * (float(scale[0]) / float((scale + ["1"])[1]))
    if x.dim() == 3:
        x = x.unsqueeze(3)
    return x.permute(0, 3, 1, 2) if x.dim() == 4 else x, torch.tensor(labels.astype(np.int64))


# ---- one model


class Compiled:
    def __init__(self, build, source, tmp, folder, **environment):
        self.program, self.tmp, self.folder = tmp + "/program", tmp, folder
        run(build + "/nnc", source, "-o", self.program, env={**os.environ, **environment})
        layers, self.settings = files.read_model(run(build + "/nnc", "--emit=nn", source, "-o", "-"))
        self.layers = layers[1:]  # without the input
        self.loss = self.settings.get("loss", (["cross_entropy"], {}))[0][0]
        self.batch = int(self.settings.get("batch", (["32"], {}))[0][0])

    def call(self, *args):
        return run(self.program, *args)

    def init(self):
        weights = self.tmp + "/init.safetensors"
        self.call("init", "--seed", "7", "-o", weights)
        self.names = set(files.read_tensors(weights))
        return weights

    def network(self, weights):
        """A training run's file holds more than weights."""
        tensors = files.read_tensors(weights)
        return Network(self.layers, {name: tensors[name] for name in self.names})


def difference(ours, reference):
    """The largest, relative to the largest of the reference."""
    size = np.abs(reference).max()
    return np.abs(ours - reference).max() / size if size > 0 else float(np.abs(ours).max() > 0)


def smooth_samples(model, network):
    """A folder with the samples of a batch whose gradient float can tell: where relu or
    maxpool see two sides within a rounding error, float and double may each take another."""
    folder = model.tmp + "/smooth"
    x, _ = load_data(model.folder, "train", model.settings)
    chosen = torch.empty(0, dtype=torch.int64)
    with torch.no_grad():
        for start in range(0, len(x), 100):
            far = network.smooth(x[start:start + 100], MARGIN)
            chosen = torch.cat([chosen, start + far])[:model.batch]
            if len(chosen) == model.batch:
                break
    if len(chosen) == 0:
        raise Failed("no sample is far enough from every kink")
    os.makedirs(folder, exist_ok=True)
    for path in glob.glob(model.folder + "/train-*"):
        files.write_idx("%s/%s" % (folder, os.path.basename(path)),
                        files.read_idx(path)[chosen.numpy()])
    return folder


def check_gradients(model, weights, smooth):
    """Dropout is off on both sides: `grad` computes without it, for the first batch."""
    saved = model.tmp + "/grad.safetensors"
    network = model.network(weights)
    folder = smooth_samples(model, network) if smooth else model.folder
    model.call("grad", "--weights", weights, "--data", folder, "-o", saved)
    ours = files.read_tensors(saved)
    x, labels = load_data(folder, "train", model.settings)
    loss, grads = network.gradients(x[:model.batch], labels[:model.batch], model.loss)
    if set(ours) != set(grads) | {"loss"}:
        raise Failed("the tensors are %s, not %s" % (sorted(ours), sorted(grads)))
    errors = {name: difference(ours[name], g) for name, g in grads.items()}
    errors["loss"] = abs(ours["loss"][0] - loss) / max(abs(loss), 1e-30)
    worst = max(errors, key=errors.get)
    if not errors[worst] <= BOUND:
        raise Failed("%s differs by %.2e" % (worst, errors[worst]))
    return errors[worst]


def check_scores(model, weights):
    ours = json.loads(model.call("eval", "--weights", weights, "--data", model.folder, "--json"))
    x, labels = load_data(model.folder, "t10k", model.settings)
    network = model.network(weights)
    with torch.no_grad():
        loss = network.loss(x, labels, model.loss).item()
        guess = network(x)[1].argmax(1)
    confusion = np.zeros_like(ours["confusion"])
    np.add.at(confusion, (labels.numpy(), guess.numpy()), 1)
    if not abs(ours["loss"] - loss) <= BOUND * abs(loss):
        raise Failed("eval: loss %r, not %r" % (ours["loss"], loss))
    if abs(ours["accuracy"] * SAMPLES - (guess == labels).sum().item()) > 1e-6:
        raise Failed("eval: accuracy %r, not %r" % (ours["accuracy"], (guess == labels).double().mean()))
    if not np.array_equal(ours["confusion"], confusion):
        raise Failed("eval: another confusion matrix:\n%s" % (np.array(ours["confusion"]) - confusion))


def check_model(build, source, tmp, folder, smooth=False):
    model = Compiled(build, source, tmp, folder)
    weights = model.init()
    worst = check_gradients(model, weights, smooth)
    check_scores(model, weights)
    out = tmp + "/run"
    model.call("train", "--data", folder, "--train", "160", "--epochs", "1", "--out", out, "-q")
    trained = out + "/last.safetensors"
    worst = max(worst, check_gradients(model, trained, smooth))
    check_scores(model, trained)
    return worst


def check_case(build, tmp, number, name, batch, loss, layers):
    layers_read, _ = files.read_model("\n".join(layers.replace("{", ";").replace("}", "").split(";")))
    shape = [int(d) for d in layers_read[0][1][0].split("x")]
    classes = int([args for word, args, _ in layers_read if word == "dense"][-1][0])
    folder = tmp + "/data"
    write_data(folder, shape, classes, number)
    source = "%s/%s.nn" % (tmp, name)
    with open(source, "w") as f:
        f.write('data idx "%s" { scale 1/255; }\ntrain { batch %s; loss %s; }\n%s\n'
                % (folder, batch, loss, layers))
    return check_model(build, source, tmp, folder, smooth=True)


# ---- optimizers

MODEL = """data idx "%s" { scale 1/255; }
train { batch 8; optimizer %s; }
input 6x5x2; conv 5 3x3 tanh; maxpool 2; dense 17 swish; dense 4 softmax;
"""


def torch_optimizer(parameters, text):
    _, args, keys = files.read_statement("optimizer " + text)
    v = {k: float(x) for k, x in keys.items()}
    decay = v.get("weight_decay", 0)
    if args[0] == "sgd":
        return torch.optim.SGD(parameters, v["lr"], momentum=v.get("momentum", 0),
                               weight_decay=decay, nesterov="nesterov" in args)
    return torch.optim.Adam(parameters, v["lr"], (v.get("beta1", 0.9), v.get("beta2", 0.999)),
                            v.get("epsilon", 1e-8), decay)


def link_steps(build, source, program, flags, libraries):
    text = program + ".c"
    run(build + "/nnc", "-S", source, "-o", text)
    name = os.path.basename(source)[:-3]
    model = "-DMODEL=%s_model%s" % (name, "_double" if "-DNNC_DOUBLE" in flags else "")
    run("cc", "-std=gnu11", "-w", "-O2", *FLAGS.split(), "-Iruntime", "-DNNC_LIBRARY", model, *flags, "-o", program,
        HERE + "/steps.c", text, build + "/libnncrt.a", *libraries)


def check_optimizer(build, tmp, libraries, name, text):
    folder, source = tmp + "/data", "%s/%s.nn" % (tmp, name)
    write_data(folder, [6, 5, 2], 4, 1)
    with open(source, "w") as f:
        f.write(MODEL % (folder, text))
    model = Compiled(build, source, tmp, folder, CFLAGS=FLAGS + " -O0")  # only for its `init`
    weights = model.init()
    x, labels = load_data(folder, "train", model.settings)
    network = model.network(weights)
    optimizer = torch_optimizer(network.weights.values(), text)
    for i in range(0, 5 * model.batch, model.batch):
        network.gradients(x[i:i + model.batch], labels[i:i + model.batch], model.loss)
        optimizer.step()
    before = files.read_tensors(weights)
    worst = 0
    for flags, bound in (["-march=native"], 1e-5), (["-march=native", "-DNNC_DOUBLE"], 1e-9):
        link_steps(build, source, tmp + "/steps", flags, libraries)
        run(tmp + "/steps", weights, folder, "5", tmp + "/after.safetensors")
        after = files.read_tensors(tmp + "/after.safetensors")
        for key, start in before.items():
            moved = network.weights[key].detach().numpy() - start
            error = difference(after[key] - start, moved)
            worst = max(worst, error / bound)
            if not error <= bound:
                raise Failed("%s of %s moved otherwise, by %.2e" % (key, flags[-1], error))
    return worst


# ---- all


def main(build, tmp, libraries):
    fashion = tmp + "/fashion"
    copy_fashion(fashion)
    tests = []
    for source in sorted(glob.glob("models/*.nn")):
        tests.append((source, check_model, [source], [fashion]))
    for number, (name, *rest) in enumerate(table("cases")):
        tests.append((name, check_case, [], [number, name, *rest]))
    for name, text in table("optimizers"):
        tests.append((name, check_optimizer, [], [libraries, name, text]))
    only, failed = os.environ.get("ONLY"), 0
    tests = [t for t in tests if not only or only in t[0]]
    for number, (name, check, before, after) in enumerate(tests):
        here = "%s/%d" % (tmp, number)
        os.makedirs(here)
        try:
            worst = check(build, *before, here, *after)
            if os.environ.get("V"):
                print("%-30s %.1e" % (name, worst), flush=True)
        except Failed as why:
            failed += 1
            print("FAIL parity %s: %s" % (name, why), flush=True)
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return failed > 0 or not tests


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
