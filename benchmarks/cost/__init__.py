"""CPU time, memory and latency, beside a bare loop or a peer in the same run."""
