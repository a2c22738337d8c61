"""Trained members in the formats of phones and servers, LiteRT, ONNX and SavedModel, and what a file in each of them computes.

A file takes float32 images (n, height, width, channels) from 0 to 255 and gives logits (n, classes), as the ``.keras`` file does.
LiteRT's int8 is full integer quantisation after training: weights per channel, activations by the range that calibration images show
(Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference").
"""

from __future__ import annotations

import contextlib
import io
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from trainer.model.scratch import scratch_file

BATCH = 100  # images of a call where speed is not measured
Model = keras.Model
Call = Callable[[np.ndarray], np.ndarray]  # from float32 images to logits


def load_member(data: bytes) -> keras.Model:
    """Returns the model in a ``.keras`` file."""
    with scratch_file("member.keras") as path:
        path.write_bytes(data)
        return keras.saving.load_model(path, compile=False)


def to_litert(model: keras.Model, calibration: np.ndarray | None = None) -> bytes:
    """Returns the model as a LiteRT file (``.tflite``).

    Args:
        calibration: float32 images (n, height, width, channels) for int8; None keeps float32.
    """
    with scratch_file("member") as folder:
        to_savedmodel(model, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))  # which has weights become constants
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([image[None]] for image in calibration)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "Statistics for quantized inputs were expected"
            )  # they come by calibration
            made: bytes = converter.convert()
    return made


def to_onnx(model: keras.Model) -> bytes:
    """Returns the model as an ONNX file, whose input is called ``images`` and whose output ``logits`` (extra ``onnx``)."""
    import tf2onnx

    names = tf.TensorSpec(model.inputs[0].shape, tf.float32, name="images")
    function = tf.function(lambda images: {"logits": model(images, training=False)}, input_signature=[names])
    made: bytes = tf2onnx.convert.from_function(function, [names])[0].SerializeToString()
    return made


def to_savedmodel(model: keras.Model, folder: Path) -> None:
    """Writes the model as a SavedModel folder, whose signature ``serving_default`` has the input ``images``."""
    with contextlib.redirect_stdout(io.StringIO()):  # Keras describes what it has written
        model.export(folder, format="tf_saved_model", verbose=False)


def run_keras(model: keras.Model) -> Call:
    """Returns the function that a Keras model computes, compiled."""
    function = _trace(model)
    return lambda images: function(tf.constant(images)).numpy()


def run_savedmodel(folder: Path) -> Call:
    """Returns the function that a SavedModel computes."""
    signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return lambda images: next(iter(signature(images=tf.constant(images)).values())).numpy()


def run_litert(data: bytes) -> Call:
    """Returns the function that a LiteRT file computes, on one thread."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated")  # for a package of its own: not needed
        interpreter = tf.lite.Interpreter(model_content=data, num_threads=1)
    (given,), (found,) = interpreter.get_input_details(), interpreter.get_output_details()
    size = 0

    def call(images: np.ndarray) -> np.ndarray:
        nonlocal size
        if len(images) != size:
            interpreter.resize_tensor_input(given["index"], images.shape)
            interpreter.allocate_tensors()
            size = len(images)
        interpreter.set_tensor(given["index"], images)
        interpreter.invoke()
        logits: np.ndarray = interpreter.get_tensor(found["index"])
        return logits

    return call


def run_onnx(data: bytes) -> Call:
    """Returns the function that an ONNX file computes, on one thread (extra ``onnx``)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["logits"], {"images": images})[0]


def compute_logits(call: Call, images: np.ndarray) -> np.ndarray:
    """Returns the logits (n, classes) of images (n, height, width, channels) of any type, 0 to 255."""
    return np.concatenate([call(part) for part in _batches(images)])


def measure_speed(call: Call, images: np.ndarray, seconds: float = 1.0) -> float:
    """Returns images per second of processor time, one image a call, of the fastest of several rounds."""
    one = images[:1].astype(np.float32)
    call(one)
    fastest, began = float("inf"), time.process_time()
    while time.process_time() - began < seconds:
        before = time.process_time()
        for _ in range(20):
            call(one)
        fastest = min(fastest, (time.process_time() - before) / 20)
    return 1 / fastest


def use_one_thread() -> None:
    """Has TensorFlow compute on one thread, before its first operation: speeds are compared as a phone's core would show them."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def _batches(images: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(images), BATCH):
        yield images[start : start + BATCH].astype(np.float32)


def _trace(model: keras.Model) -> tf.types.experimental.ConcreteFunction:
    spec = tf.TensorSpec(model.inputs[0].shape, tf.float32, name="images")
    return tf.function(lambda images: model(images, training=False)).get_concrete_function(spec)
