#!/bin/sh
# Try this commit on arm64 without such a machine, as root: a Debian of that architecture, run by qemu-user.
#   RELEASE=bookworm   which Debian
#   ROOT=DIR           a root of it, which debootstrap makes if it is not there; it is not changed later.
#                      Default: /var/cache/sound-detector/RELEASE-arm64
#   MIRROR=URL         where debootstrap gets Debian from
#   MODELS=DIR         a folder with yamnet.tflite and mn04_as_mAP_432.pt; without it they are downloaded
#   CLIPS="FILE DIR"   recordings whose events are compared, beside the bundled one
#   TESTS=tests/audio  these tests in place of the quick ones; TESTS=none for no tests
#   CONSTRAINTS=FILE   versions of the Python packages
#   KEEP=1             leave what was written for a look at it
# Arguments go to pytest. What happens in the root is in scripts/arm64/in_root.sh.
set -eu
cd "$(dirname "$0")/.."

say() { echo "sound-detector: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

release=${RELEASE:-bookworm}
base=${ROOT:-/var/cache/sound-detector/$release-arm64}
. scripts/arm64/emulation.sh

# --- What must be there ---------------------------------------------------------------------------------

[ "$(id -u)" = 0 ] || fail "this needs root, which enters the root of another Debian: sudo make test-arm64"
lacking=$(lacking_for_emulation | xargs)
[ -z "$lacking" ] || fail "some programs are missing: apt install $lacking"

# In a space of mounts of its own: whatever happens, what is mounted below ends with this script.
[ -n "${OWN_MOUNTS:-}" ] || OWN_MOUNTS=1 exec unshare --mount --propagation private "$PWD/scripts/test_arm64.sh" "$@"

work=
inside=
cleanup() {
    # The first process of a space of processes: all others end with it.
    [ -z "$inside" ] || kill -KILL "$(cat "/proc/$inside/task/$inside/children")" 2>/dev/null || true
    stop_emulation
    if [ -n "$work" ]; then
        ! mountpoint -q "$work/root" || umount --recursive --lazy "$work/root"
        if [ -n "${KEEP:-}" ]; then
            say "what was written is in $work/changed"
        else
            rm -rf --one-file-system "$work"
        fi
    fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

start_emulation

# --- The root -------------------------------------------------------------------------------------------

if [ ! -e "$base/etc/os-release" ]; then
    say "making a root of $release for arm64 in $base (some 10 minutes, once)"
    mkdir -p "$(dirname "$base")"
    rm -rf "$base.part"
    debootstrap --arch=arm64 --variant=minbase --include=ca-certificates,git,make,procps,python3,python3-venv,sudo \
        "$release" "$base.part" ${MIRROR:+"$MIRROR"} >"$base.log" 2>&1 ||
        { tail -n 20 "$base.log" >&2 && fail "debootstrap failed; all of it is in $base.log"; }
    rm -f "$base.log"
    mv "$base.part" "$base"
fi
found="$(. "$base/etc/os-release" && echo "$VERSION_CODENAME") $(chroot "$base" dpkg --print-architecture)"
[ "$found" = "$release arm64" ] || fail "$base is of $found, not of $release arm64"

work=$(mktemp -d "$base.run-XXXXXX")
root=$work/root
mkdir "$root" "$work/changed" "$work/work"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/changed,workdir=$work/work" "$root"
mount -t sysfs -o ro sysfs "$root/sys"
# Devices of its own: this machine's microphones are none of its business.
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
while read -r name major minor; do
    mknod -m 666 "$root/dev/$name" c "$major" "$minor"
done <<'DEVICES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
DEVICES
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for stream in 0:stdin 1:stdout 2:stderr; do
    ln -s "/proc/self/fd/${stream%:*}" "$root/dev/${stream#*:}"
done
# pip and apt go through what this machine goes through.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost\n' >"$root/etc/hosts"
chroot "$root" useradd --create-home --shell /bin/sh tester
echo 'tester ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/tester"
echo 'Defaults env_keep += "QEMU_CPU http_proxy https_proxy"' >>"$root/etc/sudoers.d/tester"
home=$root/home/tester

# --- This commit, its models and the recordings ---------------------------------------------------------

git clone --quiet --no-hardlinks . "$home/sound-detector"
mkdir "$home/out" "$work/out"
[ -z "${CONSTRAINTS:-}" ] || cp "$CONSTRAINTS" "$home/constraints.txt"
[ -z "${PIP_CERT:-}" ] || cp -L "$PIP_CERT" "$home/certificates.pem"

export SOUND_DETECTOR_HOME="$work/home"
.venv/bin/sound-detector models pull yamnet ${MODELS:+--from "$MODELS/yamnet.tflite"} >/dev/null
.venv/bin/sound-detector models pull mn04 ${MODELS:+--from "$MODELS/mn04_as_mAP_432.pt"} >/dev/null
for file in yamnet/yamnet.tflite mn04/mn04_as_mAP_432.pt; do
    there=$home/.local/share/sound-detector/models/$(dirname $file)
    mkdir -p "$there"
    cp "$work/home/models/$file" "$there/"
done

say "events on this machine"
for model in yamnet yamnet+mn04; do
    # At the model's own rate: resampling differs in the last bits from one kind of processor to another.
    rate=16000
    [ $model = yamnet ] || rate=32000
    # shellcheck disable=SC2086  # a list of files and folders
    .venv/bin/python scripts/arm64/prepare_clips.py $rate "$home/clips/$model" detector/demo/demo.flac ${CLIPS:-}
    .venv/bin/sound-detector analyze --quiet --model $model --start-time 0 --format jsonl --format scores \
        --out "$work/out/$model" "$home/clips/$model" >/dev/null
done
chroot "$root" chown -R tester: /home/tester

# --- In the root ----------------------------------------------------------------------------------------

# With processes of its own, which end when this does.
# In the background, so that a signal is answered at once; there, a shell ignores what Ctrl-C sends, and tests need it.
status=0
# shellcheck disable=SC2016  # expanded inside
root=$root env --default-signal=INT,QUIT unshare --pid --fork sh -euc '
    mount -t proc proc "$root/proc"
    . scripts/arm64/emulation.sh
    show_arm64_processor "$root"
    exec chroot --userspec=tester:tester "$root" "$@"
' sh /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/home/tester USER=tester LC_ALL=C.UTF-8 \
    QEMU_CPU="$QEMU_CPU" TESTS="${TESTS:-}" ${CONSTRAINTS:+CONSTRAINTS=/home/tester/constraints.txt} \
    ${PIP_INDEX_URL:+PIP_INDEX_URL="$PIP_INDEX_URL"} \
    ${PIP_CERT:+PIP_CERT=/home/tester/certificates.pem SSL_CERT_FILE=/home/tester/certificates.pem} \
    ${https_proxy:+https_proxy="$https_proxy"} ${http_proxy:+http_proxy="$http_proxy"} \
    sh /home/tester/sound-detector/scripts/arm64/in_root.sh "$@" &
inside=$!
wait $inside || status=1
inside=

for model in yamnet yamnet+mn04; do
    say "$model, events here and on arm64:"
    .venv/bin/python scripts/compare_events.py "$work/out/$model" "$home/out/$model" || status=1
done
[ $status = 0 ] || fail "arm64: not all is well"
say "arm64: all is well"
