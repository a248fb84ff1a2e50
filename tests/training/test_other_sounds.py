"""The bank of other sounds: it comes back as it was written, and the one that ships is fit for use."""

from importlib.resources import files

import numpy as np
import pytest

from detector.training.other_sounds import FILES, MADE_UP, load_bank, read_bank, write_bank


def test_what_is_written_comes_back(tmp_path):
    rng = np.random.default_rng(1)
    groups = {
        "Bell": (rng.uniform(0, 4, (6, 5)).astype(np.float32), np.array([0, 0, 0, 0, 1, 1])),
        "made-up 1": (rng.uniform(0, 4, (4, 5)).astype(np.float32), np.array([7, 7, 9, 9])),
    }
    write_bank(tmp_path / "bank.npz", groups)
    bank = read_bank((tmp_path / "bank.npz").read_bytes())
    assert list(bank) == list(groups)
    for name, (rows, _) in groups.items():
        assert bank[name].embeddings == pytest.approx(rows, abs=0.01)
        assert bank[name].count == 2
    assert bank["Bell"].pairs.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert bank["Bell"].sound.tolist() == [0, 0, 1]


def test_a_base_without_a_bank_has_an_empty_one():
    assert load_bank("mn04") == {}


def test_the_bank_that_ships_holds_recorded_and_made_up_sounds_in_3_mb():
    bank = load_bank("yamnet")
    assert len([name for name in bank if not name.startswith(MADE_UP)]) == 11
    assert len([name for name in bank if name.startswith(MADE_UP)]) == 4
    for group in bank.values():
        assert group.embeddings.shape[1] == 1024
        assert group.embeddings.min() >= 0
        assert group.count >= 60
    assert len(files("detector.training").joinpath(FILES["yamnet"]).read_bytes()) <= 3_000_000
