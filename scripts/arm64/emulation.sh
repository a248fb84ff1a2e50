# Sourced by scripts that enter an arm64 root on another processor: qemu-user runs what is in it.

# qemu 7.2 gets wrong numbers for its default processor, "max".
export QEMU_CPU="${QEMU_CPU:-cortex-a72}"

qemu=/usr/bin/qemu-aarch64-static
handlers=/proc/sys/fs/binfmt_misc
emulator=

# The packages that lack here, to be installed by the user.
lacking_for_emulation() {
    [ -x $qemu ] || echo qemu-user-static
    command -v debootstrap >/dev/null || echo debootstrap
}

# F: qemu is found in the other root too. C: so sudo works there.
is_usable() { grep -qx enabled "$1" && grep -q '^flags:.*C' "$1" && grep -q '^flags:.*F' "$1"; }

# Have the kernel start qemu for programs of arm64; stop_emulation undoes it. Needs a space of mounts of its own.
start_emulation() {
    modprobe -q binfmt_misc 2>/dev/null || true
    [ -e $handlers/register ] || mount -t binfmt_misc binfmt_misc $handlers 2>/dev/null ||
        fail "this kernel has no binfmt_misc, which starts qemu for programs of arm64"
    ! is_usable $handlers/qemu-aarch64 2>/dev/null || return 0
    # The bytes with which programs of arm64 begin; those of the mask must match.
    magic='\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    emulator=sound-detector-$$
    printf '%s' ":$emulator:M::$magic:$mask:$qemu:OCF" >$handlers/register ||
        fail "programs of arm64 cannot be registered in $handlers"
    say "registered $qemu for programs of arm64, until this ends"
}

stop_emulation() {
    [ ! -e "$handlers/${emulator:-none}" ] || echo -1 >"$handlers/$emulator"
    emulator=
}

# LiteRT and ONNX Runtime end when they are loaded where /proc/cpuinfo is that of another processor.
show_arm64_processor() { mount --bind scripts/arm64/cpuinfo.txt "$1/proc/cpuinfo"; }
