"""What is wrong with a dataset is told before anything is learned from it."""

from pathlib import Path

import pytest

from detector.datasets.labelled_clips import Clip
from detector.errors import DatasetError, DetectorError
from detector.training.command import print_findings
from detector.training.dataset_checks import Finding, check_clips, find_shared_names
from detector.training.recording_stats import RecordingStats


def clip(label: str, number: int, source: str | None = None) -> Clip:
    return Clip(Path(f"{label}/{number}.wav"), label, None, source or f"{label}-{number}")


def stats_of(sound: str, *, peak: float = -6.0, seconds: float = 3.0, level: float = -50.0) -> RecordingStats:
    return RecordingStats(content=sound, sound=sound, seconds=seconds, peak_dbfs=peak, level_dbfs=level)


def dataset(*labels: str, count: int = 12) -> tuple[list[Clip], list[RecordingStats | DetectorError]]:
    clips = [clip(label, number) for label in labels for number in range(count)]
    return clips, [stats_of(str(one.path)) for one in clips]


def texts(clips: list[Clip], stats: list[RecordingStats | DetectorError]) -> str:
    return "\n".join(finding.text for finding in check_clips(clips, stats)[1])


def test_a_good_dataset_passes_without_a_word() -> None:
    clips, stats = dataset("bell", "background")
    assert check_clips(clips, stats) == (clips, [])


def test_what_cannot_be_read_is_left_out_and_named() -> None:
    clips, stats = dataset("bell", "background")
    stats[3] = DetectorError("cannot decode bell/3.wav")
    kept, (finding,) = check_clips(clips, stats)
    assert clips[3] not in kept
    assert finding.paths == (clips[3].path,)
    assert finding.left_out
    assert "1 clip left out: cannot be read" in finding.text and "cannot decode" in finding.text


def test_silence_is_nothing_to_learn_but_may_be_background() -> None:
    clips, stats = dataset("bell", "background")
    stats[0] = stats_of("quiet", peak=-90.0)
    stats[-1] = stats_of("quiet too", peak=float("-inf"))
    kept, (finding,) = check_clips(clips, stats)
    assert clips[0] not in kept
    assert clips[-1] in kept
    assert finding.left_out


def test_a_background_without_a_quiet_room_is_told() -> None:
    clips, stats = dataset("bell", "background")
    rain = [stats_of(str(one.path), level=-20.0) for one in clips]
    assert "no clip of a quiet room (its quietest is at -20 dBFS)" in texts(clips, rain)
    assert "quiet room" not in texts(clips, [*rain[:-1], stats[-1]]), "one is enough"
    assert "quiet room" not in texts(*dataset("bell", "knock")), "there is no background at all"


def test_a_sound_in_two_classes_teaches_neither() -> None:
    clips, stats = dataset("bell", "knock")
    stats[0] = stats[-1] = stats_of("the same")
    kept, (finding,) = check_clips(clips, stats)
    assert {clips[0], clips[-1]}.isdisjoint(kept)
    assert "a clip of another class" in finding.text
    assert finding.left_out


def test_of_copies_within_a_class_the_first_is_kept() -> None:
    clips, stats = dataset("bell", "knock")
    stats[1] = stats[2] = stats[0]
    kept, (finding,) = check_clips(clips, stats)
    assert clips[0] in kept
    assert finding.paths == (clips[1].path, clips[2].path)
    assert finding.left_out


def test_few_clips_and_few_sources_are_told() -> None:
    clips = [clip("bell", n) for n in range(4)] + [clip("knock", n, "one") for n in range(20)]
    text = texts(clips, [stats_of(str(one.path)) for one in clips])
    assert "bell 4" in text
    assert "knock 1" in text


def test_long_clips_are_told() -> None:
    clips, stats = dataset("bell", "knock")
    stats[0] = stats_of("long", seconds=600.0)
    kept, (finding,) = check_clips(clips, stats)
    assert "longer than 60 s" in finding.text
    assert clips[0] in kept
    assert not finding.left_out


@pytest.mark.parametrize(
    ("labels", "count", "wanted"),
    [
        (("bell",), 12, "one class only, 'bell'"),
        (("background",), 12, "no clip of a sound to learn"),
        (("bell", "knock"), 1, "one clip is too few"),
    ],
)
def test_what_cannot_be_learned_is_refused(labels: tuple[str, ...], count: int, wanted: str) -> None:
    with pytest.raises(DatasetError, match=wanted):
        check_clips(*dataset(*labels, count=count))


def test_a_name_that_the_base_has_too_is_told() -> None:
    (finding,) = find_shared_names(["doorbell", "bell"], {"doorbell": "Doorbell"}, "mine", "yamnet")
    assert "Doorbell" in finding.text and "--model yamnet+mine" in finding.text
    assert find_shared_names(["my bell"], {"doorbell": "Doorbell"}, "mine", "yamnet") == []


def test_the_name_of_a_file_cannot_move_the_cursor(capsys):
    print_findings([Finding("2 clips are silent", (Path("Dog/\x9b2J.wav"), Path("Dog/a\nb.wav")))])
    told = capsys.readouterr().err
    assert told == "note: 2 clips are silent\n      Dog/\\x9b2J.wav\n      Dog/a\\nb.wav\n"
