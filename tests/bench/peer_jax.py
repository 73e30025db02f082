"""JAX: one jitted step whose arguments are donated, or many of them in a scan; NHWC and NCHW."""
import contextlib
import itertools
import math
import os
import sys

import peer

NAME, PIP = "JAX", "jax"
SCAN = 16  # steps in one call
QUEUE = 8  # calls under way, for they are dispatched ahead
GENERATORS = ["unsafe_rbg", "threefry2x32"]  # of what dropout draws
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def about(threads):
    import jax
    return {"name": NAME, "version": jax.__version__, "threads": int(os.environ["NPROC"])}


def axes(net):
    kinds = [layer["kind"] for layer in net["layers"]]
    layouts = ["NHWC", "NCHW"] if "conv" in kinds else [""]
    calls = ["jit"] if net["infer"] else ["jit", "jit scan of %d" % SCAN]
    generators = GENERATORS if "dropout" in kinds and not net["infer"] else [""]
    return [layouts, calls, generators]


# ---- the network


def activation(layer, x):
    import jax
    a = layer["alpha"]
    return {
        "relu": jax.nn.relu, "tanh": jax.numpy.tanh, "sigmoid": jax.nn.sigmoid,
        "leaky_relu": lambda v: jax.nn.leaky_relu(v, a), "elu": lambda v: jax.nn.elu(v, a),
        "selu": jax.nn.selu, "softplus": jax.nn.softplus, "swish": jax.nn.swish,
        "gelu": lambda v: jax.nn.gelu(v, approximate=False),
    }[layer["kind"]](x)


def pool(layer, x, last):
    from jax import lax

    def all_four(sides, other):
        return [other, *sides, other] if last else [other, other, *sides]

    window, stride = all_four(layer["window"], 1), all_four(layer["stride"], 1)
    around = all_four([tuple(p) for p in layer["pads"]], (0, 0))
    if layer["kind"] == "maxpool":
        return lax.reduce_window(x, -float("inf"), lax.max, window, stride, around)
    return lax.reduce_window(x, 0.0, lax.add, window, stride, around) / math.prod(window)


def weighted(layer, x, weights, last):
    """dense or conv; weights: [weight, bias], or without the bias"""
    from jax import lax
    if layer["kind"] == "dense":
        x = x @ weights[0]
    else:
        order = ("NHWC", "HWIO", "NHWC") if last else ("NCHW", "OIHW", "NCHW")
        x = lax.conv_general_dilated(x, weights[0], layer["stride"], layer["pads"],
                                     dimension_numbers=order)
    if len(weights) == 1:
        return x
    return x + (weights[1] if last or x.ndim == 2 else weights[1].reshape(-1, 1, 1))


def logits(net, last, params, x, key):
    """x: scaled; dropout where there is a key."""
    import jax
    weights = iter(params)
    for layer in net["layers"]:
        kind = layer["kind"]
        if kind in ("dense", "conv"):
            x = weighted(layer, x, next(weights), last)
        elif kind in ("maxpool", "avgpool"):
            x = pool(layer, x, last)
        elif kind == "globalavgpool":
            x = x.mean((1, 2) if last else (2, 3))
        elif kind == "flatten":
            x = x.reshape(x.shape[0], -1)
        elif kind == "dropout":
            if key is not None:
                key, mine = jax.random.split(key)
                keep = jax.random.bernoulli(mine, 1 - layer["rate"], x.shape)
                x = jax.numpy.where(keep, x / (1 - layer["rate"]), 0)
        else:
            x = activation(layer, x)
    return x


def first_params(net, last):
    import numpy as np
    random = np.random.RandomState(1)
    params = []
    for layer in net["layers"]:
        if layer["kind"] not in ("dense", "conv"):
            continue
        h, w = layer.get("window", (1, 1))
        i, o = layer["inputs"], layer["outputs"]
        shape = (i, o) if layer["kind"] == "dense" else (h, w, i, o) if last else (o, i, h, w)
        weight = random.normal(0, (2 / (h * w * i)) ** 0.5, shape).astype(np.float32)
        params.append([weight, np.zeros(o, np.float32)][:2 if layer["bias"] else 1])
    return params


# ---- a step


def updated(optimizer, params, grads, slots, count):
    """(params, slots) after plain SGD, momentum or Adam, as PyTorch defines them"""
    import jax
    lr, tree = optimizer["lr"], jax.tree_util.tree_map
    if optimizer["name"] == "adam":
        m = tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, slots[0], grads)
        v = tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, slots[1], grads)
        rate, root = lr / (1 - BETA1 ** count), 1 / jax.numpy.sqrt(1 - BETA2 ** count)
        step = tree(lambda m, v: rate * m / (jax.numpy.sqrt(v) * root + EPSILON), m, v)
        return tree(lambda p, s: p - s, params, step), [m, v]
    if optimizer["momentum"]:
        m = tree(lambda m, g: optimizer["momentum"] * m + g, slots[0], grads)
        return tree(lambda p, m: p - lr * m, params, m), [m]
    return tree(lambda p, g: p - lr * g, params, grads), []


def training(net, last, generator):
    """(function of one batch, first state). The state: params, slots, count, key."""
    import jax
    from jax import numpy as jnp

    def loss(params, x, y, index, key):
        out = logits(net, last, params, load(net, x, index), key)
        correct = jnp.take_along_axis(out, y[index][:, None], 1)[:, 0]
        return (jax.nn.logsumexp(out, 1) - correct).mean()

    def step(state, x, y, index):
        params, slots, count, key = state
        mine = None
        if generator:
            key, mine = jax.random.split(key)
        value, grads = jax.value_and_grad(loss)(params, x, y, index, mine)
        params, slots = updated(net["optimizer"], params, grads, slots, count)
        return (params, slots, count + 1, key), value

    params = jax.tree_util.tree_map(jnp.asarray, first_params(net, last))
    slots = {"adam": 2, "sgd": 1 if net["optimizer"].get("momentum") else 0}
    zeros = [jax.tree_util.tree_map(jnp.zeros_like, params)
             for _ in range(slots[net["optimizer"]["name"]])]
    key = jax.random.key(1, impl=generator) if generator else None
    return step, (params, zeros, jnp.float32(1), key)


def load(net, x, index):
    from jax import numpy as jnp
    return jnp.take(x, index, 0, mode="clip").astype(jnp.float32) * net["scale"]


def build(net, setting, data):
    import jax
    import numpy as np
    from jax import numpy as jnp
    layout, how, generator = setting
    last = layout != "NCHW"
    x = jnp.asarray(data.x if last else np.ascontiguousarray(data.x.transpose(0, 3, 1, 2)))
    y = jnp.asarray(data.y.astype(np.int32))
    order = np.array(data.batches, np.int32)
    step, state = training(net, last, generator)
    count = sum(p.size for p in jax.tree_util.tree_leaves(state[0]))
    if net["infer"]:
        params = state[0]
        run = jax.jit(lambda p, x, i: jax.nn.softmax(
            logits(net, last, p, load(net, x, i), None)))
        batches = itertools.cycle([jnp.asarray(b) for b in order])
        return peer.Work(lambda: run(params, x, next(batches)).block_until_ready(),
                         lambda: None, 1, 1, count, contextlib.nullcontext)
    steps = 1
    if "scan" in how:
        steps = SCAN
        order = np.resize(order, (max(len(order) // SCAN, 1), SCAN, order.shape[1]))
        one = step

        def step(state, x, y, indices):
            return jax.lax.scan(lambda s, i: one(s, x, y, i), state, indices)

    batches = itertools.cycle([jnp.asarray(b) for b in order])
    run = jax.jit(step, donate_argnums=0)
    latest = [state]

    def call():
        latest[0] = run(latest[0], x, y, next(batches))[0]

    return peer.Work(call, lambda: jax.block_until_ready(latest[0]), steps, QUEUE, count,
                     contextlib.nullcontext)


if __name__ == "__main__":
    peer.serve(sys.modules[__name__])
