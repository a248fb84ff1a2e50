#!/bin/sh
# What `make run` does: prepare, then listen to the default microphone, or to $INPUT, or, on a machine without a
# capture device, play the bundled recording through the same daemon. Arguments go to `sound-detector run`.
set -eu
here=$(dirname "$0")
"$here/setup.sh" run
detector=$here/../.venv/bin/sound-detector

if [ -n "${INPUT:-}" ]; then
    exec "$detector" run --input "$INPUT" "$@"
fi
for argument in "$@"; do
    case $argument in
    --input* | --device* | --config* | --demo | --help | -h) exec "$detector" run "$@" ;;
    esac
done
if [ "$("$detector" devices --json 2>/dev/null | tr -d '[:space:]')" = "[]" ]; then
    echo "sound-detector: no microphone was found; playing the bundled recording instead (make run INPUT=FILE)" >&2
    exec "$detector" run --demo "$@"
fi
exec "$detector" run "$@"
