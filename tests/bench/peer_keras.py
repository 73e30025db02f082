"""Keras, on TensorFlow or else on JAX: train_on_batch, and a compiled step of the user's own."""
import contextlib
import importlib.util
import itertools
import os
import sys

import peer

NAME, PIP = "Keras", "keras tensorflow-cpu"


def about(threads):
    backends = [b for b in ("tensorflow", "jax", "torch") if importlib.util.find_spec(b)]
    os.environ["KERAS_BACKEND"] = (backends + ["tensorflow"])[0]
    import keras
    version = keras.__version__
    if backends[0] == "tensorflow":
        import tensorflow as tf
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        return {"name": NAME, "version": "%s, TensorFlow %s" % (version, tf.__version__),
                "threads": tf.config.threading.get_intra_op_parallelism_threads()}
    return {"name": NAME, "version": "%s, %s" % (version, backends[0]), "threads": threads}


def axes(net):
    import keras
    calls = ["predict_on_batch" if net["infer"] else "train_on_batch"]
    if keras.backend.backend() == "tensorflow":
        calls.append("tf.function")
    return [[call + compiled for call in calls for compiled in (", XLA", "")]]


# ---- the network


def activation(layer):
    import keras
    from keras import layers
    kind, a = layer["kind"], layer["alpha"]
    if kind == "leaky_relu":
        return layers.LeakyReLU(a)
    if kind == "elu":
        return layers.ELU(a)
    if kind == "gelu":
        return layers.Activation(lambda x: keras.activations.gelu(x, approximate=False))
    return layers.Activation(kind)


def pool(layer, same):
    from keras import layers
    kind = {"maxpool": layers.MaxPooling2D, "avgpool": layers.AveragePooling2D}[layer["kind"]]
    if not same and layer["pads"] != [[0, 0], [0, 0]]:
        raise ValueError("a pool with these paddings")
    return [kind(layer["window"], layer["stride"], "same" if same else "valid")]


def conv(layer, same):
    from keras import layers
    front = []
    if not same and layer["pads"] != [[0, 0], [0, 0]]:
        front = [layers.ZeroPadding2D(layer["pads"])]
    return front + [layers.Conv2D(layer["outputs"], layer["window"], layer["stride"],
                                  "same" if same else "valid", use_bias=layer["bias"])]


def modules(layer):
    """What one layer is in Keras."""
    from keras import layers
    kind = layer["kind"]
    if kind == "dense":
        return [layers.Dense(layer["outputs"], use_bias=layer["bias"])]
    if kind in ("conv", "maxpool", "avgpool"):
        return (conv if kind == "conv" else pool)(layer, layer["same"])
    if kind == "globalavgpool":
        return [layers.GlobalAveragePooling2D()]
    if kind == "flatten":
        return [layers.Flatten()]
    if kind == "dropout":
        return [layers.Dropout(layer["rate"])]
    return [activation(layer)]


def network(net, front):
    """Logits in training, probabilities in inference; front: before the first layer."""
    import keras
    last = [keras.layers.Softmax()] if net["infer"] else []
    model = keras.Sequential([keras.Input(net["input"], net["rows"], "uint8")] + front
                             + [m for layer in net["layers"] for m in modules(layer)] + last)
    kind = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}
    options = {"learning_rate" if k == "lr" else k: v for k, v in net["optimizer"].items()
               if k != "name"}
    return model, kind[net["optimizer"]["name"]](**options)


# ---- a step


def build(net, setting, data):
    import keras
    call, _, compiled = setting[0].partition(", ")
    compiled = bool(compiled)
    model, optimizer = network(net, [keras.layers.Rescaling(net["scale"])])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    keras.utils.set_random_seed(1)
    if call == "tf.function":
        run = own(net, model, optimizer, loss, compiled, data)
    else:
        model.compile(optimizer, None if net["infer"] else loss, jit_compile=compiled)
        batches = itertools.cycle(data.batches)
        y = data.y.astype("int32")

        def run():
            index = next(batches)
            if net["infer"]:
                model.predict_on_batch(data.x[index])
            else:
                model.train_on_batch(data.x[index], y[index])

    return peer.Work(run, lambda: None, 1, 1, model.count_params(), contextlib.nullcontext)


def own(net, model, optimizer, loss, compiled, data):
    """As who writes the training loop by hand would, with the batch picked inside."""
    import tensorflow as tf
    x, y = tf.constant(data.x), tf.constant(data.y.astype("int32"))
    batches = itertools.cycle([tf.constant(b) for b in data.batches])
    optimizer.build(model.trainable_variables)

    @tf.function(jit_compile=compiled)
    def step(x, y, index):
        with tf.GradientTape() as tape:
            value = loss(tf.gather(y, index), model(tf.gather(x, index), training=True))
        grads = tape.gradient(value, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        return value

    @tf.function(jit_compile=compiled)
    def infer(x, index):
        return model(tf.gather(x, index), training=False)

    if net["infer"]:
        return lambda: infer(x, next(batches)).numpy()
    return lambda: step(x, y, next(batches)).numpy()


if __name__ == "__main__":
    peer.serve(sys.modules[__name__])
