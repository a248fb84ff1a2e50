"""Run files of graphs in the runtimes; a test that needs one that is not here is skipped."""

from __future__ import annotations

import numpy as np
import pytest


def run_onnx(content: bytes, values: np.ndarray) -> np.ndarray:
    onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(["scores"], {session.get_inputs()[0].name: values.astype(np.float32)})[0]


def run_tflite(content: bytes, values: np.ndarray) -> np.ndarray:
    runtime = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not installed")
    interpreter = runtime.Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    taken, told = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scores = []
    for example in values.astype(np.float32):
        interpreter.set_tensor(taken["index"], example.reshape(taken["shape"]))
        interpreter.invoke()
        scores.append(interpreter.get_tensor(told["index"])[0])
    return np.array(scores)
