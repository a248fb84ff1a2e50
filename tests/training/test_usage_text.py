"""What is said of a new model can be typed as it stands."""

from __future__ import annotations

from pathlib import Path

from detector.training.usage_text import use_lines


def commands(out: Path, base: str, models: Path) -> list[str]:
    return [line.split("  ")[0] for line in use_lines(out, base, models).splitlines()]


def test_elsewhere_it_is_named_by_its_path(tmp_path):
    assert commands(Path("models/bell"), "yamnet", tmp_path) == [
        "sound-detector --model ./models/bell",
        "sound-detector --model yamnet+./models/bell",
    ]
    assert commands(Path("/data/bell"), "", tmp_path) == ["sound-detector --model /data/bell"]


def test_in_the_models_folder_the_daemon_finds_it(tmp_path):
    assert commands(tmp_path / "bell", "yamnet", tmp_path) == [
        "sound-detector",
        "sound-detector --model bell",
    ]
    assert commands(tmp_path / "bell", "yamnet+mn04", tmp_path)[0] == "sound-detector"
