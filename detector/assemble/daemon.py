"""Everything that `sound-detector run` needs."""

from __future__ import annotations

import secrets
import time

from detector import __version__, modelstore
from detector.assemble.edges import effective_sinks, make_sink, make_source
from detector.assemble.pipeline import make_pipeline, samples
from detector.config import Settings
from detector.daemon import Daemon
from detector.dispatch import Dispatcher
from detector.sinks.message import hello_fields, run_id_text

BLOCK_SECONDS = 0.13
"""Longest block: the reader's slack grows with it, the delay too where it does not divide the hop."""
QUEUE_SECONDS = 5.0
"""Sound that may wait for a busy worker before a live source loses some."""


def make_daemon(settings: Settings, *, verbose: bool = False) -> Daemon:
    """Build everything that `sound-detector run` needs; any DetectorError is raised here, before it runs."""
    classifier = modelstore.load_classifier(
        settings.model.name, runtime=settings.model.runtime, threads=settings.model.threads
    )
    spec = classifier.spec
    pipeline = make_pipeline(settings, classifier)
    hop = samples(settings.windows.hop_seconds, spec)
    block = block_length(hop, spec.sample_rate)
    source = make_source(settings.source, sample_rate=spec.sample_rate, block_length=block)
    run_id = run_id_text(time.time(), secrets.randbits(16))

    def hello() -> dict[str, object]:
        return hello_fields(
            version=__version__,
            model=spec.name,
            labels=[label.name for label in pipeline.labels],
            source=source.name,
            run_id=run_id,
        )

    sinks = [make_sink(sink, hello, verbose=verbose) for sink in effective_sinks(settings)]
    return Daemon(
        source=source,
        pipeline=pipeline,
        dispatcher=Dispatcher(sinks),
        sample_rate=spec.sample_rate,
        run_id=run_id,
        queue_blocks=max(2, round(QUEUE_SECONDS * spec.sample_rate / block)),
    )


def block_length(hop: int, sample_rate: int) -> int:
    """The longest whole fraction of the hop below BLOCK_SECONDS, so that a block ends where a window does."""
    longest = int(BLOCK_SECONDS * sample_rate)
    parts = -(-hop // longest)
    while hop % parts and parts < hop:
        parts += 1
    length = hop // parts
    return length if length >= 0.03 * sample_rate else longest
