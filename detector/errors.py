"""Every exception the project raises on purpose.

    DetectorError
    ├── ConfigError            a setting, flag or config file is wrong       exit 2
    ├── ModelError             a model is missing, damaged or does not fit    exit 1
    │   └── WrongModel         no model has that name, or its parts do not fit    exit 2
    ├── SourceError            audio cannot be had                            exit 1
    │   ├── DeviceNotFound     no such microphone, or the name is ambiguous
    │   ├── DeviceLost         the microphone went away while we listened
    │   └── UnsupportedFormat  a file or stream that cannot be decoded
    ├── DatasetError           labelled clips are missing or their folds leak  exit 1
    ├── AnnotationError        a truth that cannot be meant, or nobody wrote  exit 1
    ├── ClipError              a clip cannot be written, found or played  exit 1
    ├── HistoryError           the history cannot be read or written (never fatal for the daemon)
    │   └── HistoryHole        some of its events cannot be read (in `interfaces`: it carries those that can)
    ├── VerdictError           a verdict cannot be given or taken back        exit 1
    └── SinkError              events cannot be delivered (fatal only at start)
        ├── AccessError        a token, certificate or group in the settings cannot be used  exit 2
        └── SinkClosed         the reader has gone for good, as after `| head -1`

A message says what was expected, what was given and what to do, in one line.
Any other exception that reaches the user is a bug.
"""


class DetectorError(Exception):
    """Base of all; the command line prints it as one line and ends with `exit_code`."""

    exit_code = 1


class ConfigError(DetectorError):
    """A setting is unknown, of the wrong type or out of range; `key` names it where only one is meant."""

    exit_code = 2

    def __init__(self, message: str, *, key: str = "") -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.key = key
        self.message = message


class ModelError(DetectorError):
    """A model is unknown, missing, damaged, or its labels and outputs do not agree."""


class WrongModel(ModelError):
    """The model that was asked for cannot be: no model has that name, or its parts do not belong together.

    A fault in the settings or on the command line, which stays one until somebody corrects it.
    """

    exit_code = 2


class SourceError(DetectorError):
    """Audio cannot be had from a source."""


class DeviceNotFound(SourceError):
    """No capture device answers to the index or name."""


class DeviceAmbiguous(DeviceNotFound):
    """Several capture devices answer to a name: only other settings can help."""

    exit_code = 2


class DeviceLost(SourceError):
    """The device stopped delivering while it was being read."""


class UnsupportedFormat(SourceError):
    """A recording is missing, empty, damaged or in a format that cannot be read."""


class DatasetError(DetectorError):
    """A folder of labelled clips is not what its layout promises, or its folds leak."""


class AnnotationError(DetectorError):
    """Annotations of a recording are missing, damaged, or in other units than seconds."""


class ClipError(DetectorError):
    """A clip cannot be written, found or played; while the daemon runs it is counted, never fatal."""


class HistoryError(DetectorError):
    """The file of past events cannot be read or written; while the daemon runs it is counted, never fatal."""


class VerdictError(DetectorError):
    """A verdict cannot be given or taken back: there is no such event, label or verdict."""


class SinkError(DetectorError):
    """A destination cannot take events; while the daemon runs it is counted, never fatal."""


class AccessError(SinkError):
    """A token, certificate, key or group in the settings cannot be used, until somebody corrects it."""

    exit_code = 2


class SinkClosed(SinkError):
    """Nobody will ever read this destination again; where it is standard output, the program ends, with 0."""
