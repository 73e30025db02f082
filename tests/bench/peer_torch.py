"""PyTorch: eager, scripted, traced and compiled; NCHW and channels last; each optimizer it has."""
import contextlib
import inspect
import itertools
import os
import sys

import peer

NAME, PIP = "PyTorch", "torch"


def about(threads):
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    import torch
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.set_flush_denormal(True)
    return {"name": NAME, "version": torch.__version__.split("+")[0],
            "threads": torch.get_num_threads()}


def axes(net):
    import torch
    optimizers = [""]
    conv = any(layer["kind"] == "conv" for layer in net["layers"])
    if net["infer"]:
        modes = ["eager", "script", "trace"]
    else:
        modes = ["eager", "script"]
        known = inspect.signature(optimizer_class(net)).parameters
        optimizers = [""] + [o + " optimizer" for o in ("foreach", "fused") if o in known]
    if net["compile"] and hasattr(torch, "compile"):
        modes.append("compile")
        if not net["infer"]:
            optimizers.append("compiled optimizer")
    layouts = ["NCHW ", "channels last "] if conv else [""]
    return [[layout + mode for mode in modes for layout in layouts], optimizers]


def optimizer_class(net):
    import torch
    return {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[net["optimizer"]["name"]]


def activation(layer):
    from torch import nn
    kind, a = layer["kind"], layer["alpha"]
    if kind == "leaky_relu":
        return nn.LeakyReLU(a)
    if kind == "elu":
        return nn.ELU(a)
    return {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "selu": nn.SELU,
            "softplus": nn.Softplus, "swish": nn.SiLU, "gelu": nn.GELU}[kind]()


def padding(layer, fill):
    """([layer in front], padding argument)"""
    from torch import nn
    (top, bottom), (left, right) = layer["pads"]
    half = all(2 * a <= k for a, k in zip((top, left), layer["window"]))
    if top == bottom and left == right and (half or layer["kind"] == "conv"):
        return [], (top, left)
    return [nn.ConstantPad2d((left, right, top, bottom), fill)], 0


def modules(layer):
    """What one layer is in torch."""
    from torch import nn
    kind = layer["kind"]
    if kind == "dense":
        return [nn.Linear(layer["inputs"], layer["outputs"], bias=layer["bias"])]
    if kind in ("conv", "maxpool"):
        front, around = padding(layer, 0.0 if kind == "conv" else -float("inf"))
        if kind == "maxpool":
            return front + [nn.MaxPool2d(layer["window"], layer["stride"], around)]
        return front + [nn.Conv2d(layer["inputs"], layer["outputs"], layer["window"],
                                  layer["stride"], around, bias=layer["bias"])]
    if kind == "avgpool":
        return [nn.AvgPool2d(layer["window"], layer["stride"])]
    if kind == "globalavgpool":
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if kind == "flatten":
        return [nn.Flatten()]
    if kind == "dropout":
        return [nn.Dropout(layer["rate"])]
    return [activation(layer)]


def network(net, data, last):
    """(module from samples and indices to the loss or the probabilities, its weights).
    Picking the batch and scaling it are within, for a compiler to fuse."""
    import torch
    from torch import nn

    class Load(nn.Module):
        def forward(self, x, index):
            return x.index_select(0, index).to(torch.float32) * self.scale

    class LoadLast(nn.Module):
        def forward(self, x, index):
            x = x.index_select(0, index).permute(0, 3, 1, 2).to(torch.float32)
            return x.contiguous(memory_format=torch.channels_last) * self.scale

    class Loss(nn.Module):
        def forward(self, x, y, index):
            out = self.body(self.load(x, index))
            return nn.functional.cross_entropy(out, y.index_select(0, index))

    class Infer(nn.Module):
        def forward(self, x, index):
            return torch.softmax(self.body(self.load(x, index)), 1)

    torch.manual_seed(1)
    whole = (Infer if net["infer"] else Loss)()
    whole.load = (LoadLast if last else Load)()
    whole.load.scale = net["scale"]
    whole.body = nn.Sequential(*[m for layer in net["layers"] for m in modules(layer)])
    if last:
        whole.body.to(memory_format=torch.channels_last)
    return whole


def build(net, setting, data):
    import torch
    mode, optimizer = setting
    last = mode.startswith("channels last")
    mode = mode.split()[-1]
    whole = network(net, data, last)
    count = sum(p.numel() for p in whole.parameters())
    x = torch.from_numpy(data.x)
    if x.dim() == 4 and not last:
        x = x.permute(0, 3, 1, 2).contiguous()
    y = torch.from_numpy(data.y)
    batches = itertools.cycle([torch.from_numpy(b) for b in data.batches])
    if mode == "compile":
        torch._dynamo.reset()
    if net["infer"]:
        call = infer(whole.eval(), mode, x, batches)
    else:
        call = train(whole, mode, optimizer, net, x, y, batches)
    return peer.Work(call, lambda: None, 1, 1, count,
                     torch.inference_mode if net["infer"] else contextlib.nullcontext)


def infer(whole, mode, x, batches):
    import torch
    if mode == "compile":
        run = torch.compile(whole, dynamic=False)
    elif mode == "script":
        run = torch.jit.freeze(torch.jit.script(whole))
    elif mode == "trace":
        traced = torch.jit.trace(whole, (x, next(batches)), check_trace=False)
        run = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
    else:
        run = whole
    return lambda: run(x, next(batches))


def train(whole, mode, optimizer, net, x, y, batches):
    import torch
    kind = optimizer.split()[0] if optimizer else ""
    options = {k: v for k, v in net["optimizer"].items() if k != "name"}
    if kind in ("foreach", "fused"):
        options[kind] = True
    if kind == "compiled":
        options["lr"] = torch.tensor(options["lr"])  # a number would be a constant of it
    update = optimizer_class(net)(whole.parameters(), **options)
    loss, step = whole, update.step
    if mode == "compile":
        loss = torch.compile(whole, dynamic=False)
    elif mode == "script":
        loss = torch.jit.script(whole)
    if kind == "compiled":
        step = torch.compile(lambda: update.step())

    def call():
        update.zero_grad(set_to_none=True)
        loss(x, y, next(batches)).backward()
        step()

    return call


if __name__ == "__main__":
    peer.serve(sys.modules[__name__])
