#!/bin/sh
# Run a command that enters an arm64 root, as root: while it runs, qemu-user runs programs of arm64.
set -eu

say() { echo "sound-detector: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

[ "$(uname -m)" != aarch64 ] || exec "$@"
[ -n "${OWN_MOUNTS:-}" ] || OWN_MOUNTS=1 exec unshare --mount --propagation private "$0" "$@"
. "$(dirname "$0")/emulation.sh"
[ -x "$qemu" ] || fail "a program is missing: apt install qemu-user-static"
trap stop_emulation EXIT
trap 'exit 130' INT TERM
start_emulation
"$@"
