"""What is measured: the models, at which batch and optimizer, and which ratio must hold."""
import glob
import os
import re
from collections import namedtuple

STEP, INFER = "training step", "inference"

# model: a file of models/, or the text of one. rows: of an inference. need: by threads, at
# least how many times as fast as the best PyTorch; every other peer is at least to be behind.
Case = namedtuple("Case", "name model batch optimizer work rows need prototype")

SGD, ADAM = "sgd lr=0.002", "adam lr=0.001"
CNN = {1: 6, 2: 8}
MLP_SGD, MLP_ADAM = {1: 3, 2: 5.5}, {1: 4, 2: 4}
MLP_BATCH = {1: {1: 20, 2: 20}, 128: {1: 1.5, 2: 1.5}, 512: {1: 1.15, 2: 1.15}}
MLP_ROW = {1: 4, 2: 4}
AHEAD = {1: 1, 2: 1}

# For compiling models/cnn.nn, seconds: to its C text, and to a program.
FRONT_END_SECONDS, COMPILE_SECONDS = 0.020, 3.0
# How much slower than a prototype a step may be.
PROTOTYPE_RATIO = 1.1


def step(name, model, batch=32, optimizer=None, need=None, prototype=None):
    return Case(name, model, batch, optimizer, STEP, batch, need, prototype)


def infer(name, model, rows, need=None):
    """One row is what every program infers; more are the batch it was compiled for."""
    return Case(name, model, 32 if rows == 1 else rows, None, INFER, rows, need, None)


def mlp(hidden, **more):
    """The options of the prototype mlp.c; OPT 2 is the faster of its two Adams."""
    return dict({"NL": hidden, "H": 128, "B": 32, "ACT": 0, "OPT": 0, "DROP": 0}, **more)


def standard(root):
    models = os.path.join(root, "models")
    cases = [step("cnn adam b32", "cnn.nn", need=CNN, prototype="cnn")]
    for path in sorted(glob.glob(os.path.join(models, "*.nn"))):
        name = os.path.basename(path)
        with open(path) as f:
            if name != "cnn.nn" and re.search(r"^\s*conv\b", f.read(), re.M):
                cases.append(step("%s b32" % name[:-3], name, need=AHEAD))
    for n in 1, 2, 3:
        cases.append(step("mlp%d sgd b32" % n, "mlp%d_relu.nn" % n, optimizer=SGD, need=MLP_SGD,
                          prototype=mlp(n)))
    for n in 1, 2, 3:
        cases.append(step("mlp%d adam b32" % n, "mlp%d_relu.nn" % n, optimizer=ADAM,
                          need=MLP_ADAM, prototype=mlp(n, OPT=2)))
    for batch, need in MLP_BATCH.items():
        cases.append(step("mlp3 sgd b%d" % batch, "mlp3_relu.nn", batch, SGD, need,
                          mlp(3, B=batch)))
    for kind, more in (("leaky_relu", {"ACT": 1}), ("tanh", {"ACT": 2}),
                       ("relu_dropout", {"DROP": 1})):
        cases.append(step("mlp3 %s sgd b32" % kind.replace("relu_d", "d"), "mlp3_%s.nn" % kind,
                          optimizer=SGD, need=MLP_SGD, prototype=mlp(3, **more)))
    for rows in 1, 32, 512:
        cases.append(infer("mlp3 infer b%d" % rows, "mlp3_relu.nn", rows,
                           MLP_ROW if rows == 1 else None))
    for rows in 1, 32:
        cases.append(infer("cnn infer b%d" % rows, "cnn.nn", rows))
    return [c._replace(model=os.path.join(models, c.model)) for c in cases]


# ---- one size varied, the others as they are


def dense_net(hidden, units=128):
    return "input 28x28x1;\nrepeat %d { dense %d relu; }\ndense 10 softmax;\n" % (hidden, units)


def conv_net(kernel, filters=32, side=28, convs=1):
    return ('data idx "made_up" { scale 1/255; }\ninput %dx%dx1;\n'
            "repeat %d { conv %d %dx%d relu; maxpool 2; }\ndense 10 softmax;\n"
            % (side, side, convs, filters, kernel, kernel))


def powers(first, last):
    while first <= last:
        yield first
        first *= 2


def scaling(root):
    """mlp: 3 hidden layers of 128; conv3, conv5: 32 filters on 28x28, pool, dense; conv3x2
    and conv5x2: two of them, so that the second has as many channels as filters."""
    cases = []

    def add(name, model, batch=32):
        cases.append(step(name, model, batch, SGD, AHEAD))

    for b in powers(1, 512):
        add("mlp batch %d" % b, dense_net(3), b)
    for h in powers(32, 2048):
        add("mlp hidden %d" % h, dense_net(3, h))
    for k in 3, 5:
        for b in powers(1, 512):
            add("conv%d batch %d" % (k, b), conv_net(k), b)
        for side in powers(14, 112):
            add("conv%d side %d" % (k, side), conv_net(k, side=side))
        for f in powers(8, 256):
            add("conv%d filters %d" % (k, f), conv_net(k, f))
        for f in powers(8, 256):
            add("conv%dx2 filters %d" % (k, f), conv_net(k, f, convs=2))
    return cases
