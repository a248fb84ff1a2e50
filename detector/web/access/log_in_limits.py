"""How often a password may be tried: a few times at once, then now and then; by each address, and by all.

The limit for all bounds guesses from many addresses, and their cost. Whoever tries without pause keeps others
from logging in meanwhile; whoever is logged in already does not notice.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_ADDRESSES = 1024
"""Addresses remembered at once; the one that tried least recently is forgotten."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many tries at once, and then one more each so many seconds."""

    burst: int
    seconds: float


PER_ADDRESS = Allowance(5, 30.0)
ALL_TOGETHER = Allowance(20, 3.0)


class TriesLeft:
    """Tries that are left of an allowance."""

    __slots__ = ("_allowance", "_left", "_time")

    def __init__(self, allowance: Allowance, now: float) -> None:
        self._allowance = allowance
        self._left = float(allowance.burst)
        self._time = now

    def wait(self, now: float) -> float:
        """Seconds until a try is left; 0 where one is."""
        gained = (now - self._time) / self._allowance.seconds
        self._left = min(float(self._allowance.burst), self._left + gained)
        self._time = now
        return max(0.0, 1.0 - self._left) * self._allowance.seconds

    def take(self) -> None:
        """Count a try."""
        self._left -= 1.0


class LogInLimits:
    """Counts the tries."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        per_address: Allowance = PER_ADDRESS,
        all_together: Allowance = ALL_TOGETHER,
    ) -> None:
        """`clock` gives seconds that never go back."""
        self._clock = clock
        self._per_address = per_address
        self._all = TriesLeft(all_together, clock())
        self._addresses: OrderedDict[str, TriesLeft] = OrderedDict()

    def take(self, address: str) -> float:
        """Count a try of this address; returns 0, or the seconds to wait if it may not be made."""
        now, key = self._clock(), network_of(address)
        bucket = self._addresses.get(key)
        if bucket is None:
            bucket = TriesLeft(self._per_address, now)
        self._addresses[key] = bucket
        self._addresses.move_to_end(key)
        if len(self._addresses) > MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        wait = max(bucket.wait(now), self._all.wait(now))
        if wait <= 0.0:
            bucket.take()
            self._all.take()
        return wait

    def forgive(self, address: str) -> None:
        """Forget the tries of an address that knew the password."""
        self._addresses.pop(network_of(address), None)


def network_of(address: str) -> str:
    """The address, or of an IPv6 address the /64 that one subscriber of a provider has."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 4:
        return str(parsed)
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
