"""What the kernel counts of a block device is read as it documents it."""

from benchmarks.support.card import Written, read_counters


def test_counters_are_read_from_the_line_of_the_kernel():
    # reads, merged, sectors, ms; writes, merged, sectors, ms; in flight, ms, ms; discards, ...; flushes, ms
    line = "  10 1 800 5  70 2 4096 30  0 35 35  0 0 0 0  12 7\n"
    assert read_counters(line) == Written(bytes=4096 * 512, requests=70, flushes=12)


def test_what_came_between_is_the_difference():
    assert Written(900, 9, 3) - Written(400, 4, 2) == Written(500, 5, 1)
