#!/bin/sh
# Make the bundled recording, detector/demo/demo.flac (or the file named as the first argument), with
# espeak-ng and sox: speech, a smoke alarm and a siren over low noise. The same versions of the two
# programs give the same samples. Where each part lies is told again in detector/demo/__init__.py.
set -eu

for tool in espeak-ng sox; do
    if ! command -v "$tool" >/dev/null; then
        echo "make_demo: $tool is missing: sudo apt-get install espeak-ng sox" >&2
        exit 1
    fi
done
out=${1:-$(dirname "$0")/../detector/demo/demo.flac}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

part() { # part NAME EFFECTS...: synthesize one mono part at 16 kHz
    name=$1
    shift
    sox -R -n -r 16000 -c 1 -b 16 "$work/$name.wav" "$@"
}

# Speech: 1.0 s to about 5.9 s.
espeak-ng -v en-us -s 150 -w "$work/spoken.wav" \
    "No microphone was found. Listen: a smoke alarm, then a siren."
sox -R "$work/spoken.wav" -r 16000 -c 1 -b 16 "$work/speech.wav" gain -n -6 pad 1.0 0

# Smoke alarm: 7.0 s to 13.5 s. The T3 pattern of ISO 8201, twice: three beeps of 0.5 s, 0.5 s apart, then
# 1.5 s of pause. A piezo horn is a sine near 3.1 kHz; a trace of its octave makes it more of an alarm and
# less of a beep to the model.
part horn synth 0.5 sine 3100 gain -6
part octave synth 0.5 sine 6200 gain -26
sox -R -m -v 1 "$work/horn.wav" -v 1 "$work/octave.wav" "$work/alarm.wav" \
    gain -n -6 pad 0 0.5 repeat 2 pad 0 1.0 repeat 1 pad 7.0 0

# Siren: 15.5 s to 19.1 s. The yelp of a police car, 600 to 1500 Hz every 0.3 s; a horn's driver is rich in
# harmonics, hence the sawtooth (a sine is heard as a sound effect).
part siren synth 0.3 sawtooth 600-1500 gain -10 repeat 11 pad 15.5 0

# The room: 21 s of faint pink noise below it all.
part room synth 21 pinknoise gain -50

sox -R -m -v 1 "$work/room.wav" -v 1 "$work/speech.wav" -v 1 "$work/alarm.wav" -v 1 "$work/siren.wav" \
    -b 16 -C 8 --comment "sound-detector: bundled recording, made by scripts/make_demo.sh" "$out"
