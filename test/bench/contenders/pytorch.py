"""The same workloads in PyTorch. Arguments: memory format, JSON list of workloads."""

import json
import os
import resource
import sys
import time

import torch
from torch import nn

torch.set_num_threads(int(os.environ.get("THREADS", "2")))
torch.manual_seed(0)
device = torch.device(os.environ.get("DEVICE", "cpu"))
channels_last = sys.argv[1] == "channels_last"


class Fire(nn.Module):
    def __init__(self, channels, squeeze, expand1x1, expand3x3):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand1x1, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand3x3, 3, padding=1)

    def forward(self, x):
        x = torch.relu_(self.squeeze(x))
        return torch.cat([torch.relu_(self.expand1x1(x)), torch.relu_(self.expand3x3(x))], 1)


def squeezenet():
    layers = [nn.Conv2d(3, 96, 7, 2), nn.ReLU(True), nn.MaxPool2d(3, 2)]
    channels = 96
    for i, expand in enumerate([64, 64, 128, 128, 192, 192, 256, 256]):
        layers.append(Fire(channels, expand // 4, expand, expand))
        channels = 2 * expand
        if i in (2, 6):
            layers.append(nn.MaxPool2d(3, 2))
    layers += [nn.Dropout(0.5), nn.Conv2d(512, 10, 1), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def prepare(workload):
    network = squeezenet().to(device)
    images = torch.randn(workload["batch"], 3, workload["size"], workload["size"], device=device)
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
    optimizer = torch.optim.SGD(network.parameters(), 0.01, 0.9, weight_decay=1e-4)
    loss_function = nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        loss = loss_function(network(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()

    return step


for workload in json.loads(sys.argv[2]):
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
