"""A cache that was damaged is no cache: the embeddings are computed again."""

from pathlib import Path

import numpy as np
import pytest

from detector.training.embedding_cache import EmbeddingCache, cache_folder
from detector.training.recording_embeddings import EmbeddedRecording

CONTENT = "ab" * 32


@pytest.mark.parametrize(
    ("environ", "platform", "folder"),
    [
        ({}, "linux", "/home/ada/.cache/sound-detector"),
        ({"XDG_CACHE_HOME": "/cache"}, "linux", "/cache/sound-detector"),
        ({"XDG_CACHE_HOME": "cache"}, "linux", "/home/ada/.cache/sound-detector"),
        ({"SOUND_DETECTOR_CACHE": "/srv/kept"}, "linux", "/srv/kept"),
        ({}, "darwin", "/home/ada/Library/Caches/sound-detector"),
        ({}, "win32", "/home/ada/AppData/Local/sound-detector/cache"),
    ],
)
def test_the_cache_follows_the_platforms_custom(environ, platform, folder):
    assert cache_folder(environ, platform, Path("/home/ada")) == Path(folder)


@pytest.fixture
def kept(tmp_path):
    """A cache with one recording, and the file that holds it."""
    cache = EmbeddingCache(tmp_path, {})
    rng = np.random.default_rng(1)
    recording = EmbeddedRecording(
        np.arange(4.0), rng.normal(size=(4, 8)).astype(np.float16), np.ones(4, np.bool_)
    )
    cache.put(CONTENT, recording)
    (path,) = tmp_path.rglob("*.npz")
    return cache, path


def test_what_was_kept_comes_back(kept):
    assert kept[0].get(CONTENT).embeddings.shape == (4, 8)


def test_any_damaged_byte_gives_the_recording_or_none(kept):
    cache, path = kept
    data = path.read_bytes()
    for at in range(0, len(data), 3):
        for value in (255, data[at] ^ 1):
            path.write_bytes(data[:at] + bytes([value]) + data[at + 1 :])
            found = cache.get(CONTENT)
            assert found is None or found.embeddings.shape[0] == len(found.stops)


def test_a_file_that_breaks_off_is_none(kept):
    cache, path = kept
    data = path.read_bytes()
    for length in range(0, len(data), 7):
        path.write_bytes(data[:length])
        assert cache.get(CONTENT) is None


def test_arrays_that_do_not_belong_together_are_none(kept):
    cache, path = kept
    np.savez(
        path, stops=np.arange(3.0), embeddings=np.zeros((4, 8), np.float16), is_open=np.ones(4, np.bool_)
    )
    assert cache.get(CONTENT) is None
