"""Scenes with known truth: what is in them, and that a seed decides all of it."""

import numpy as np
import pytest

from detector.training.simulated_scenes import (
    CEILING,
    LEAD_SECONDS,
    make_scenes,
    room_noise,
    sounding_part,
    variants_of,
)

RATE = 8000


def tone(hertz: float, seconds: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


CLIPS = [tone(440, 0.5), tone(880, 6.0), np.zeros(RATE, np.float32), tone(220, 1.0)]


def scenes(seed: int = 1, rooms=()):
    return list(make_scenes(CLIPS, rooms, sample_rate=RATE, variants=3, seed=seed))


def test_the_same_seed_gives_the_same_scenes_and_another_seed_others():
    one, same, other = scenes(1), scenes(1), scenes(2)
    assert [s.sounds for s in one] == [s.sounds for s in same]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(one, same, strict=True))
    assert [s.sounds for s in one] != [s.sounds for s in other]


def test_every_clip_that_sounds_is_there_once_in_each_variant_and_alone():
    for scene in scenes():
        assert sorted(sound.clip for sound in scene.sounds) == [0, 1, 3]
        assert scene.sounds[0].onset == LEAD_SECONDS
        for before, after in zip(scene.sounds, scene.sounds[1:], strict=False):
            assert after.onset - before.offset >= 1.0
        assert len(scene.samples) / RATE > scene.sounds[-1].offset + 1
        assert np.abs(scene.samples).max() <= CEILING + 1e-6


def test_a_long_sound_is_cut():
    lengths = {round(s.offset - s.onset, 3) for scene in scenes() for s in scene.sounds}
    assert lengths == {0.5, 1.0, 4.0}


def test_sounds_lie_between_3_and_30_db_over_their_background():
    for scene in scenes():
        background = scene.samples[: round(LEAD_SECONDS * RATE) - 1]
        floor = np.mean(background**2)
        for sound in scene.sounds:
            part = scene.samples[round(sound.onset * RATE) : round(sound.offset * RATE)]
            snr = 10 * np.log10(np.mean(part**2) / floor)
            assert 1 < snr < 32  # with the background in it, whose level may swell


def test_a_recorded_room_lies_under_some_of_them():
    room = tone(1000, 2.0)
    over_the_room = [
        np.array_equal(a.samples, b.samples) for a, b in zip(scenes(), scenes(1, [room]), strict=True)
    ]
    assert not all(over_the_room)


def test_the_sounding_part_is_without_the_pauses_around_it_but_with_those_inside():
    quiet = np.random.default_rng(0).normal(0, 0.001, RATE).astype(np.float32)
    knock = tone(300, 0.1)
    clip = np.concatenate([quiet, knock, quiet[: RATE // 4], knock, quiet])
    part = sounding_part(clip, RATE)
    assert 0.45 - 0.06 < len(part) / RATE < 0.45 + 0.06


def test_a_clip_that_sounds_all_the_time_is_taken_whole():
    noise = np.random.default_rng(1).normal(0, 0.1, RATE).astype(np.float32)
    assert len(sounding_part(noise, RATE)) > 0.9 * RATE


def test_room_noise_has_rms_1():
    for seed in range(8):
        noise = room_noise(RATE + seed, RATE, np.random.default_rng(seed))
        assert len(noise) == RATE + seed
        assert np.sqrt(np.mean(noise**2)) == pytest.approx(1, rel=1e-3)


def test_few_clips_are_used_more_often():
    assert [variants_of(count) for count in (1, 20, 60, 400)] == [12, 12, 8, 3]
