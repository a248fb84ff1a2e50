"""Settings -> objects: the only place that knows every concrete class."""

from detector.assemble.endpoints import SINK_KINDS, effective_sinks, with_stdout
from detector.assemble.service import make_daemon, showing_a_wait
from detector.assemble.source_channels import block_length
from detector.assemble.stages import check_labels, make_pipeline

__all__ = [
    "SINK_KINDS",
    "block_length",
    "check_labels",
    "effective_sinks",
    "make_daemon",
    "make_pipeline",
    "showing_a_wait",
    "with_stdout",
]
