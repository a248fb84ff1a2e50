"""Log-mel patches: the definition, librosa's mel scale, and YAMNet's own graph as references."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.audio.logmel import LogMel, LogMelParams, mel_weights, periodic_hann
from detector.backends.bundle import load_bundle
from detector.errors import ModelError
from detector.modelstore import find, store

YAMNET = LogMelParams(
    16000, frame=400, hop=160, fft=512, bands=64, low_hz=125.0, high_hz=7500.0, log_offset=0.001
)


def tone(hertz: float, samples: int = 15600) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(samples) / 16000)).astype(np.float32)


def noise(samples: int = 15600) -> NDArray[np.float32]:
    return (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


def test_a_window_of_yamnet_is_one_patch_of_96_by_64() -> None:
    patch = LogMel(YAMNET)(noise())
    assert patch.shape == (96, 64)
    assert patch.dtype == np.float32


def test_silence_is_the_logarithm_of_the_offset() -> None:
    np.testing.assert_allclose(LogMel(YAMNET)(np.zeros(15600, np.float32)), math.log(0.001), rtol=1e-6)


@pytest.mark.parametrize("hertz", [200.0, 1000.0, 3100.0, 7000.0])
def test_a_tone_is_loudest_in_the_band_around_it(hertz: float) -> None:
    centres = np.linspace(1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700), 66)[1:-1]
    nearest = int(np.abs(centres - 1127 * np.log1p(hertz / 700)).argmin())
    assert abs(int(LogMel(YAMNET)(tone(hertz)).mean(axis=0).argmax()) - nearest) <= 1


def test_a_later_start_by_one_hop_shifts_the_patch_by_one_frame() -> None:
    samples = noise(15600 + 160)
    one, later = LogMel(YAMNET)(samples[:15600]), LogMel(YAMNET)(samples[160:])
    np.testing.assert_allclose(one[1:], later[:-1], atol=1e-5)


def test_each_frame_is_the_definition_written_out() -> None:
    samples = noise()
    frame = samples[5 * 160 : 5 * 160 + 400].astype(np.float64)
    taper = [0.5 - 0.5 * math.cos(2 * math.pi * n / 400) for n in range(400)]
    spectrum = np.abs(np.fft.rfft(frame * taper, 512))
    np.testing.assert_allclose(
        LogMel(YAMNET)(samples)[5], np.log(spectrum @ mel_weights(YAMNET) + 0.001), atol=1e-5
    )


@pytest.mark.parametrize(
    "params",
    [
        YAMNET,
        LogMelParams(
            32000, frame=800, hop=320, fft=1024, bands=128, low_hz=50.0, high_hz=14000.0, log_offset=1e-5
        ),
    ],
)
def test_the_mel_filters_are_librosas_but_for_the_shape_of_their_sides(params: LogMelParams) -> None:
    """librosa's triangles are straight in hertz, these in mel: much the same in a narrow band."""
    filters = pytest.importorskip("librosa.filters", reason="librosa is in the [test] extra")
    reference = filters.mel(
        sr=params.sample_rate,
        n_fft=params.fft,
        n_mels=params.bands,
        fmin=params.low_hz,
        fmax=params.high_hz,
        htk=True,
        norm=None,
    ).T
    np.testing.assert_allclose(mel_weights(params), reference, atol=0.01)


def test_magnitudes_are_those_of_librosas_stft() -> None:
    """librosa centres the 400 points in the 512, 56 later than here; magnitudes do not mind."""
    librosa = pytest.importorskip("librosa", reason="librosa is in the [test] extra")
    samples = noise()
    shifted = np.concatenate([np.zeros(56, np.float32), samples, np.zeros(56, np.float32)])
    stft = librosa.stft(shifted, n_fft=512, hop_length=160, win_length=400, window="hann", center=False)
    reference = np.log(np.abs(stft).T @ mel_weights(YAMNET) + 0.001)
    np.testing.assert_allclose(LogMel(YAMNET)(samples), reference, atol=1e-4)


EFFICIENTAT = LogMelParams(
    32000,
    frame=800,
    hop=320,
    fft=1024,
    bands=128,
    low_hz=0.0,
    high_hz=15000.0,
    log_offset=1e-5,
    power=2,
    preemphasis=0.97,
    centred=True,
)


def test_centred_frames_of_power_after_preemphasis_are_librosas() -> None:
    librosa = pytest.importorskip("librosa", reason="librosa is in the [test] extra")
    samples = noise()
    steep = samples[1:] - np.float32(0.97) * samples[:-1]
    stft = librosa.stft(steep, n_fft=1024, hop_length=320, win_length=800, window="hann", pad_mode="reflect")
    reference = np.log(np.square(np.abs(stft)).T @ mel_weights(EFFICIENTAT) + 1e-5)
    np.testing.assert_allclose(LogMel(EFFICIENTAT)(samples), reference, atol=1e-3)


@pytest.mark.parametrize("samples", [1025, 2000, 15600, 96000])
def test_centred_frames_are_counted(samples: int) -> None:
    assert len(LogMel(EFFICIENTAT)(np.zeros(samples, np.float32))) == EFFICIENTAT.frames(samples)


@pytest.mark.parametrize(
    ("samples", "tolerance"),
    [(noise(), 2e-4), (0.001 * noise(), 2e-4), (np.zeros(15600, np.float32), 2e-4), (tone(440.0), 2e-3)],
    ids=["noise", "faint noise", "silence", "tone"],
)
def test_yamnets_own_graph_makes_the_same_patch(samples: NDArray[np.float32], tolerance: float) -> None:
    """The graph's tensor `log_mel_spectrogram`, read out of the TFLite file.

    A loud pure tone leaves bands that hold only the rounding of the graph's single-precision transform.
    """
    runtime = pytest.importorskip("ai_edge_litert.interpreter")
    bundle = load_bundle(find("yamnet"))
    try:
        content = store.read_model_file(bundle, "tflite")
    except ModelError as error:
        pytest.skip(str(error))
    graph = runtime.Interpreter(
        model_content=content,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    graph.allocate_tensors()
    graph.set_tensor(0, samples.astype(np.float32))
    graph.invoke()
    tensors = {tensor["name"]: tensor["index"] for tensor in graph.get_tensor_details()}
    reference = graph.get_tensor(tensors["log_mel_spectrogram"])
    assert bundle.front_end == YAMNET
    np.testing.assert_allclose(LogMel(YAMNET)(samples.astype(np.float32)), reference, atol=tolerance)
    np.testing.assert_array_equal(mel_weights(YAMNET).T, graph.get_tensor(tensors["mel_spectrogram"]))
    np.testing.assert_allclose(
        periodic_hann(400), graph.get_tensor(tensors["stft/hann_window/sub_2"]), atol=1e-6
    )
