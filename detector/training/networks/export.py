"""A trained PyTorch module as a graph: traced by torch.fx, batch normalisation folded into convolutions.

Knows the layers that the networks of this room are made of; any other is a ModelError.
"""

from __future__ import annotations

import operator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detector.errors import ModelError
from detector.graphs.graph import Graph, Value
from detector.graphs.pictures import Pair
from detector.training.networks.architecture import Module

_Node: TypeAlias = Any
"""torch.fx.Node."""


def to_graph(module: Module, frames: int, bands: int, *, multilabel: bool) -> Graph:
    """Return the module's graph from a patch to scores: a sigmoid for each, or a softmax over all."""
    from torch import fx

    was_training = module.training
    try:
        exporter = _Exporter(module.eval(), Graph((frames, bands)))
        for node in fx.symbolic_trace(module).graph.nodes:
            exporter.take(node)
    finally:
        module.train(was_training)
    graph, logits = exporter.graph, exporter.output
    graph.output = graph.sigmoid(logits) if multilabel else graph.softmax(logits)
    return graph


class _Exporter:
    """Takes the traced nodes in order; `values` has what each became."""

    def __init__(self, module: Module, graph: Graph) -> None:
        self.graph = graph
        self.output = graph.input
        self._modules = dict(module.named_modules())
        self._values: dict[_Node, Value] = {}

    def take(self, node: _Node) -> None:
        """Append what a node does to the graph."""
        if node in self._values:  # folded into the convolution before it
            return
        if node.op == "placeholder":
            self._values[node] = self.graph.input
        elif node.op == "output":
            self.output = self._values[node.args[0]]
        elif node.op == "call_module":
            self._values[node] = self._layer(node, self._values[node.args[0]])
        else:
            self._values[node] = self._call(node)

    def _layer(self, node: _Node, given: Value) -> Value:
        from torch import nn

        layer, graph = self._modules[node.target], self.graph
        if isinstance(layer, nn.Conv2d):
            return self._convolution(node, layer, given)
        if isinstance(layer, nn.BatchNorm2d):
            return graph.affine(given, *_scale_and_shift(layer))
        if isinstance(layer, nn.Linear):
            return graph.dense(given, _array(layer.weight), _array(layer.bias))
        if isinstance(layer, nn.ReLU):
            return graph.relu(given)
        if isinstance(layer, nn.MaxPool2d):
            return graph.max_pool(
                given, _pair(layer.kernel_size), stride=_pair(layer.stride), padding=_pair(layer.padding)
            )
        if isinstance(layer, nn.AdaptiveAvgPool2d) and _pair(layer.output_size) == (1, 1):
            return graph.global_mean(given)
        if isinstance(layer, nn.Identity | nn.Dropout):
            return given
        if isinstance(layer, nn.Flatten) and len(given.shape) == 1:
            return given
        raise ModelError(f"the layer {node.target}, {type(layer).__name__}, cannot be written as a graph")

    def _convolution(self, node: _Node, layer: Module, given: Value) -> Value:
        """Add a convolution, with the batch normalisation that alone follows it, if there is one."""
        from torch import nn

        if layer.groups != 1 or isinstance(layer.padding, str):
            raise ModelError(f"the convolution {node.target} cannot be written as a graph")
        weights = _array(layer.weight)
        bias = np.zeros(len(weights)) if layer.bias is None else _array(layer.bias)
        followers = list(node.users)
        norm = self._modules.get(followers[0].target) if len(followers) == 1 else None
        folds = isinstance(norm, nn.BatchNorm2d)
        if folds:
            scale, shift = _scale_and_shift(norm)
            weights, bias = weights * scale[:, np.newaxis, np.newaxis, np.newaxis], bias * scale + shift
        value = self.graph.conv(
            given,
            weights,
            bias,
            stride=_pair(layer.stride),
            padding=_pair(layer.padding),
            dilation=_pair(layer.dilation),
        )
        if folds:
            self._values[followers[0]] = value
        return value

    def _call(self, node: _Node) -> Value:
        import torch

        if node.target in (operator.add, torch.add):
            return self.graph.add(*(self._values[given] for given in node.args))
        if node.target is torch.cat:
            return self.graph.concat([self._values[given] for given in node.args[0]])
        over_picture = node.op == "call_method" and node.args[1:] == ((2, 3),)
        if over_picture and node.target == "mean":
            return self.graph.global_mean(self._values[node.args[0]])
        if over_picture and node.target == "amax":
            return self.graph.global_max(self._values[node.args[0]])
        raise ModelError(f"{node.target} cannot be written as a graph")


def _scale_and_shift(norm: Module) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean, variance = _array(norm.running_mean), _array(norm.running_var)
    scale = 1 / np.sqrt(variance + norm.eps)
    if norm.affine:
        scale = scale * _array(norm.weight)
        return scale, _array(norm.bias) - mean * scale
    return scale, -mean * scale


def _array(tensor: Module) -> NDArray[np.float64]:
    values: NDArray[np.float64] = tensor.detach().cpu().double().numpy()
    return values


def _pair(value: int | Pair) -> Pair:
    return (value, value) if isinstance(value, int) else value
