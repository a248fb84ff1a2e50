#!/bin/sh
# What scripts/test_arm64.sh runs in the arm64 root, as a user who may use sudo: what somebody does first on a
# Raspberry Pi, then the events of the recordings in ~/clips into ~/out, then the tests. Arguments go to pytest.
set -u
cd ~/sound-detector || exit 1
detector=.venv/bin/sound-detector
status=0
trap 'exit 130' INT TERM

say() { echo "sound-detector: arm64: $*" >&2; }

# Run a step, say how it ended and how long it took.
step() { # step NAME COMMAND...
    name=$1
    shift
    say "$name ..."
    since=$(date +%s)
    if "$@"; then
        ended=ok
    else
        ended=FAILED
        status=1
    fi
    say "$name: $ended, $(($(date +%s) - since)) s"
}

# Without a microphone it plays the bundled recording, as it sounds: what an emulated processor is too slow for is
# dropped. From a file nothing is.
first_run() {
    make run >~/run.jsonl && grep -q '"label":"Speech"' ~/run.jsonl
}

from_file() {
    make run INPUT=detector/demo/demo.flac >~/file.jsonl || return 1
    for label in "Speech" "Smoke alarm (T3)" "Siren"; do
        grep -qF "\"label\":\"$label\"" ~/file.jsonl || return 1
    done
}

# PyAudio was built here: it opens and finds no device, and the program says so in one line.
no_microphone() {
    .venv/bin/python -c 'import pyaudio; print("PyAudio finds", pyaudio.PyAudio().get_device_count(), "devices")' \
        2>/dev/null || return 1
    said=$($detector devices 2>&1) && return 1
    echo "$said"
    [ "$(echo "$said" | wc -l)" = 1 ]
}

built_here() {
    grep -l 'Tag: .*-linux_aarch64' .venv/lib/python3*/site-packages/*.dist-info/WHEEL |
        sed 's#.*/\(.*\)\.dist-info/WHEEL#built from source: \1#'
}

events() { # events MODEL
    $detector analyze --quiet --model "$1" --start-time 0 --format jsonl --format scores --out ~/out/"$1" \
        ~/clips/"$1" >/dev/null
}

say "$(uname -m), $(. /etc/os-release && echo "$PRETTY_NAME"), $(python3 --version), QEMU_CPU=$QEMU_CPU"
step "make run" first_run
step "make run INPUT=FILE" from_file
step "PyAudio" no_microphone
built_here
step "both models are whole" $detector models verify yamnet+mn04
step "events of yamnet" events yamnet
step "events of yamnet+mn04" events yamnet+mn04
case ${TESTS:-} in
none) ;;
*) step "make test" make test TESTS="${TESTS:-}" ARGS="${*:--q}" ;;
esac
exit $status
