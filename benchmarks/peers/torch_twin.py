"""The same networks, costs and optimizer in PyTorch: channels last, fused Adam."""

from __future__ import annotations

import contextlib

import torch
from torch import nn
from torch.nn import functional

from benchmarks.peers import Steps, Workload
from experiment.datasets import DATASETS
from experiment.members import Member
from trainer.model.architecture import Layer, head_layers, residual_blocks, stem_layers


class Norm(nn.Module):
    """Batch normalisation with a centre but no scale, then ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
        self.norm.weight.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.norm(x))


def layer_module(layer: Layer) -> nn.Module:
    """Returns the layer as a PyTorch module."""
    fan_in, out = layer.channels
    if layer.kind == "norm":
        return Norm(fan_in)
    if layer.kind == "input":
        return nn.BatchNorm2d(fan_in, eps=1e-3, momentum=0.01, affine=False)
    if layer.kind == "linear":
        return nn.Linear(fan_in, out)
    padding = 0 if layer.padding == "VALID" else layer.size // 2
    return nn.Conv2d(fan_in, out, layer.size, layer.stride, padding, bias=layer.bias)


class Twin(nn.Module):
    """One member of the ensemble."""

    def __init__(self, member: Member, channels: int, kind: str) -> None:
        super().__init__()
        self.stem = nn.Sequential(*map(layer_module, stem_layers(member, channels)))
        self.paths = nn.ModuleList(nn.Sequential(*map(layer_module, path)) for _, path, _ in residual_blocks(member))
        self.shortcuts = nn.ModuleList(layer_module(s) if s else nn.Identity() for _, _, s in residual_blocks(member))
        *widen, logits = head_layers(member, kind)
        self.widen = nn.Sequential(*map(layer_module, widen))
        self.logits = layer_module(logits)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for path, shortcut in zip(self.paths, self.shortcuts, strict=True):
            x = path(x) + shortcut(x)
        return self.logits(self.widen(x).mean(dim=(2, 3)))


def prepare_steps(workload: Workload, precision: str = "float32") -> Steps:
    """Returns the steps of both members with one fused Adam, and autocast for bfloat16."""
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    cell, shape = workload.cell, DATASETS[workload.dataset].shape
    twins = nn.ModuleList(Twin(m, shape[2], cell.head) for m in cell.members)
    twins = twins.to(device, memory_format=torch.channels_last)
    trainable = [p for p in twins.parameters() if p.requires_grad]
    kernels = [p for p in trainable if p.ndim > 1]
    adam = torch.optim.Adam(trainable, cell.learning_rate, eps=1e-8, fused=True)
    x = torch.from_numpy(workload.images()).permute(0, 3, 1, 2).to(device).contiguous(memory_format=torch.channels_last)
    y = torch.from_numpy(workload.labels()).long().to(device)
    batch = cell.batch_size

    def half() -> contextlib.AbstractContextManager[object]:
        return torch.autocast(device, torch.bfloat16) if precision == "bfloat16" else contextlib.nullcontext()

    def steps(count: int) -> None:
        for i in range(count):
            images, labels = x[i * batch : (i + 1) * batch].float(), y[i * batch : (i + 1) * batch]
            with half():
                first, second = (twin(images).float() for twin in twins)
            cost = functional.cross_entropy(first, labels) + functional.cross_entropy(second, labels)
            cost = cost + cell.weight_decay / 2 * sum(k.square().sum() for k in kernels)
            cost = cost + cell.alpha * (first - second).square().sum(-1).mean()
            adam.zero_grad(set_to_none=True)
            cost.backward()
            adam.step()
        float(cost)  # waits for the device

    return steps
