#!/bin/sh
# Build the package of one release of Debian into dist/, as root: scripts/make_deb.sh bookworm [ARCH]
#   ROOT=DIR           a root of that release and architecture; without it debootstrap makes one. It is not changed
#   MIRROR=URL         where debootstrap gets Debian from
#   WHEEL=FILE         a wheel of this commit that scripts/release.py made; without it that is run
#   MODELS=DIR         a folder with yamnet.tflite and mn04_as_mAP_432.pt; without it they are downloaded
#   CONSTRAINTS=FILE   versions of the Python packages; an earlier package has them in its python-packages.txt
#   COMPRESS=none      a trial: packing takes seconds instead of a minute
#   PYTHON=python3     the interpreter that runs scripts/release.py
set -eu
cd "$(dirname "$0")/.."

say() { echo "sound-detector: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

[ $# -ge 1 ] || fail "name the release: scripts/make_deb.sh bookworm"
[ "$(id -u)" = 0 ] || fail "this needs root, which makes and enters the root of another Debian"
release=$1
architecture=${2:-$(dpkg --print-architecture)}
[ -n "${ROOT:-}" ] || command -v debootstrap >/dev/null ||
    fail "debootstrap is missing (apt install debootstrap), and no ROOT is given"
foreign=
if [ "$architecture" = arm64 ] && [ "$(dpkg --print-architecture)" != arm64 ]; then
    foreign=yes
    . scripts/arm64/emulation.sh
    lacking=$(lacking_for_emulation | xargs)
    [ -z "$lacking" ] || fail "some programs are missing: apt install $lacking"
fi

# In a space of mounts of its own: whatever happens, what is mounted below ends with this script.
[ -n "${OWN_MOUNTS:-}" ] || OWN_MOUNTS=1 exec unshare --mount --propagation private "$0" "$@"

epoch=$(git log -1 --format=%ct)
maintainer=$(git log -1 --format='%an <%ae>')
if [ -z "${WHEEL:-}" ]; then
    ${PYTHON:-.venv/bin/python} scripts/release.py >&2
    WHEEL=$(ls dist/*.whl)
fi

work=$(mktemp -d)
root=$work/root
cleanup() {
    for mounted in "$root/dev/pts" "$root/proc/cpuinfo" "$root/proc" "$root"; do
        ! mountpoint -q "$mounted" || umount --lazy "$mounted"
    done
    [ -z "$foreign" ] || stop_emulation
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
[ -z "$foreign" ] || start_emulation
mkdir "$root"
if [ -n "${ROOT:-}" ]; then
    mkdir "$work/changed" "$work/work"
    mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$work/changed,workdir=$work/work" "$root"
else
    say "making a root of $release (some minutes)"
    debootstrap --arch="$architecture" --variant=minbase "$release" "$root" ${MIRROR:+"$MIRROR"} >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log" >&2 && fail "debootstrap failed"; }
fi
found="$(. "$root/etc/os-release" && echo "$VERSION_CODENAME") $(chroot "$root" dpkg --print-architecture)"
[ "$found" = "$release $architecture" ] || fail "the root is of $found, not of $release $architecture"
mount -t proc proc "$root/proc"
[ -z "$foreign" ] || show_arm64_processor "$root"
mkdir -p "$root/dev/pts"
mount -t devpts devpts "$root/dev/pts"

mkdir -p "$root/build/source"
git archive HEAD | tar -x -C "$root/build/source"
cp "$WHEEL" "$root/build/"
[ -z "${CONSTRAINTS:-}" ] || cp "$CONSTRAINTS" "$root/build/constraints.txt"
if [ -n "${MODELS:-}" ]; then
    mkdir "$root/build/models"
    cp "$MODELS/yamnet.tflite" "$MODELS/mn04_as_mAP_432.pt" "$root/build/models/"
fi
# An emulated processor would compress for a quarter of an hour: that is done outside then.
packed_inside=${foreign:+none}
packed_inside=${packed_inside:-${COMPRESS:-xz}}
# pip goes through what this machine goes through.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
[ -z "${PIP_CERT:-}" ] || cp -L "$PIP_CERT" "$root/build/certificates.pem"
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root SOURCE_DATE_EPOCH="$epoch" \
    MAINTAINER="$maintainer" COMPRESS="$packed_inside" ${CONSTRAINTS:+CONSTRAINED=1} ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} \
    ${PIP_CERT:+PIP_CERT=/build/certificates.pem SSL_CERT_FILE=/build/certificates.pem} \
    ${QEMU_CPU:+QEMU_CPU="$QEMU_CPU"} ${https_proxy:+https_proxy="$https_proxy"} ${http_proxy:+http_proxy="$http_proxy"} \
    sh /build/source/packaging/deb/build_in_root.sh

mkdir -p dist
if [ -n "$foreign" ]; then
    say "compressing"
    dpkg-deb --raw-extract "$root"/build/out/*.deb "$work/unpacked"
    SOURCE_DATE_EPOCH=$epoch dpkg-deb --root-owner-group "-Z${COMPRESS:-xz}" --build "$work/unpacked" \
        "$root"/build/out/*.deb >/dev/null
fi
cp "$root"/build/out/*.deb dist/
(cd "$root/build/out" && ls ./*.deb) | sed 's#^\.#dist#'
