"""The same workloads in PyTorch. Arguments: memory format, JSON list of workloads. With `layers`
for the memory format it prints the layers of the workloads' networks, and times nothing."""

import json
import os
import pathlib
import resource
import sys
import time

import torch
from torch import nn

sys.path.append(str(pathlib.Path(__file__).parents[2] / "fixtures" / "networks"))
from networks import MobileNetV2, ResNet  # noqa: E402

torch.set_num_threads(int(os.environ.get("THREADS", "2")))
torch.manual_seed(0)
device = torch.device(os.environ.get("DEVICE", "cpu"))
channels_last = sys.argv[1] == "channels_last"


class Block(nn.Module):
    """Convolutions by name, each with the batch norm `<name>_bn` or none."""

    def convolution(self, name, batch_norm, channels, filters, *window):
        self.add_module(name, nn.Conv2d(channels, filters, *window))
        if batch_norm:
            self.add_module(f"{name}_bn", nn.BatchNorm2d(filters))

    def convolve(self, name, x):
        x = self._modules[name](x)
        norm = self._modules.get(f"{name}_bn")
        return x if norm is None else norm(x)


class Fire(Block):
    def __init__(self, channels, squeeze, expand, batch_norm, bypass):
        super().__init__()
        self.bypass = bypass
        self.convolution("squeeze", batch_norm, channels, squeeze, 1)
        self.convolution("expand1x1", batch_norm, squeeze, expand, 1)
        self.convolution("expand3x3", batch_norm, squeeze, expand, 3, 1, 1)

    def forward(self, x):
        squeezed = torch.relu_(self.convolve("squeeze", x))
        branches = [self.convolve(name, squeezed) for name in ("expand1x1", "expand3x3")]
        y = torch.cat([torch.relu_(branch) for branch in branches], 1)
        return y + x if self.bypass else y


class SqueezeNet(Block):
    """`stem`: filters, side, stride and padding. `pool_after`: Fire modules before a max-pool."""

    def __init__(self, stem, pool_after, batch_norm, bypass, head_relu, dropout):
        super().__init__()
        self.head_relu = head_relu
        self.features = nn.Sequential()
        # Positions count as in the published network, in which batch norm has none.
        layers = [nn.ReLU(True), nn.MaxPool2d(3, 2)]
        channels = stem[0]
        for i, expand in enumerate([64, 64, 128, 128, 192, 192, 256, 256], 2):
            bypassed = bypass and channels == 2 * expand
            layers.append(Fire(channels, expand // 4, expand, batch_norm, bypassed))
            channels = 2 * expand
            if i in pool_after:
                layers.append(nn.MaxPool2d(3, 2))
        self.features.add_module("0", nn.Conv2d(3, *stem))
        if batch_norm:
            self.features.add_module("0_bn", nn.BatchNorm2d(stem[0]))
        for position, layer in enumerate(layers, 1):
            self.features.add_module(str(position), layer)
        self.dropout = nn.Dropout(dropout)
        self.convolution("final_conv", batch_norm, channels, 10, 1)

    def forward(self, x):
        scores = self.convolve("final_conv", self.dropout(self.features(x)))
        scores = torch.relu_(scores) if self.head_relu else scores
        return nn.functional.adaptive_avg_pool2d(scores, 1).flatten(1)


def build(name):
    if name == "npm run train":
        return SqueezeNet((64, 3, 1, 1), (3, 5), True, True, False, 0.0)
    if name == "ResNet-20":
        return ResNet([3, 3, 3], 16, 10, imagenet=False, option_b=False)
    if name == "MobileNetV2":
        return MobileNetV2(1.0, 10)
    return SqueezeNet((96, 7, 2), (4, 8), False, False, True, 0.5)


def images_of(workload):
    return torch.randn(workload["batch"], 3, workload["size"], workload["size"], device=device)


def decayed_apart(network, weight_decay):
    """Weights of batch norm are not decayed."""
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    undecayed = [parameter for norm in norms for parameter in norm.parameters()]
    known = set(map(id, undecayed))
    decayed = [parameter for parameter in network.parameters() if id(parameter) not in known]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": undecayed}]
    return [group for group in groups if group["params"]]


def prepare(workload):
    network = build(workload["network"]["name"]).to(device)
    images = images_of(workload)
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    if workload["kind"] == "infer":
        network.eval()

        def infer():
            with torch.no_grad():
                network(images).cpu()

        return infer
    labels = torch.arange(workload["batch"], device=device) % 10
    training = workload["network"]["training"]
    optimizer = torch.optim.SGD(
        decayed_apart(network, training["weightDecay"]),
        training["learningRate"],
        training["momentum"],
        nesterov=training["nesterov"],
    )
    loss_function = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad(set_to_none=True)  # The default since 2.0, and the faster way.
        loss = loss_function(network(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()

    return step


def layers_of(workload):
    network = build(workload["network"]["name"]).to(device).eval()
    layers = []
    for name, module in network.named_modules():
        if next(module.children(), None) is None:

            def note(module, _, output, name=name):
                count = sum(parameter.numel() for parameter in module.parameters())
                kind = type(module).__name__
                shape = list(output.shape)
                layers.append({"name": name, "type": kind, "outputShape": shape, "parameters": count})

            module.register_forward_hook(note)
    with torch.no_grad():
        network(images_of(workload))
    return layers


for workload in json.loads(sys.argv[2]):
    if sys.argv[1] == "layers":
        print(json.dumps(layers_of(workload)))
        continue
    run = prepare(workload)
    for _ in range(workload["warmups"]):
        run()
    milliseconds = []
    for _ in range(workload["repetitions"]):
        start = time.perf_counter()
        run()
        milliseconds.append(1000 * (time.perf_counter() - start))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"workload": workload["name"], "milliseconds": milliseconds, "peakBytes": peak}))
