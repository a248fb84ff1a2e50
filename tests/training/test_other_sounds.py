"""The bank of other sounds: it comes back as it was written, and the one that ships is fit for use."""

from importlib.resources import files

import numpy as np
import pytest

from detector.training.other_sounds import FILE, MADE_UP, HeardGroup, load_bank, read_bank, write_bank


def test_what_is_written_comes_back(tmp_path):
    rng = np.random.default_rng(1)
    groups = {
        name: HeardGroup(
            {
                "one": rng.uniform(0, 4, (len(sound), 5)).astype(np.float32),
                "other": rng.uniform(-1, 1, (len(sound), 3)).astype(np.float32),
            },
            np.array(sound),
        )
        for name, sound in {"Bell": [0, 0, 0, 0, 1, 1], "made-up 1": [7, 7, 9, 9]}.items()
    }
    write_bank(tmp_path / "bank.npz", groups)
    content = (tmp_path / "bank.npz").read_bytes()
    bank = read_bank(content, ["one", "other"])
    assert list(bank) == list(groups)
    for name, heard in groups.items():
        both = np.concatenate([heard.embeddings["one"], heard.embeddings["other"]], axis=1)
        assert bank[name].embeddings == pytest.approx(both, abs=0.035)
        assert bank[name].count == 2
        alone = read_bank(content, ["other"])[name].embeddings
        assert alone == pytest.approx(heard.embeddings["other"], abs=0.01)
    assert bank["Bell"].pairs.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert bank["Bell"].sound.tolist() == [0, 0, 1]


def test_for_a_network_that_did_not_hear_it_the_bank_is_empty():
    assert load_bank(["yamnet", "another"]) == {}


@pytest.mark.parametrize(
    ("networks", "features"), [(["yamnet"], 1024), (["mn04"], 384), (["yamnet", "mn04"], 1408)]
)
def test_the_bank_that_ships_holds_recorded_and_made_up_sounds_in_3_mb(networks, features):
    bank = load_bank(networks)
    assert len([name for name in bank if not name.startswith(MADE_UP)]) == 11
    assert len([name for name in bank if name.startswith(MADE_UP)]) == 4
    for group in bank.values():
        assert group.embeddings.shape[1] == features
        assert group.count >= 40
    assert len(files("detector.training").joinpath(FILE).read_bytes()) <= 3_000_000
