#!/bin/sh
# What `make run` does: prepare, then listen to the default microphone, or to $INPUT, or, on a machine without a
# capture device, play the bundled recording through the same daemon. Arguments go to `sound-detector run`.
#   WEB=1   serve the web page as well, until the daemon ends
set -eu
here=$(dirname "$0")
if [ -n "${WEB:-}" ]; then
    "$here/setup.sh" web
else
    "$here/setup.sh" run
fi
detector=$here/../.venv/bin/sound-detector

listen() {
    if [ -n "${WEB:-}" ]; then
        exec "$here/../.venv/bin/python" "$here/run_with_page.py" "$detector" "$@"
    fi
    exec "$detector" run "$@"
}

if [ -n "${INPUT:-}" ]; then
    listen --input "$INPUT" "$@"
fi
for argument in "$@"; do
    case $argument in
    --input* | --device* | --config* | --demo | --help | -h) listen "$@" ;;
    esac
done
if [ "$("$detector" devices --json 2>/dev/null | tr -d '[:space:]')" = "[]" ]; then
    echo "sound-detector: no microphone was found; playing the bundled recording instead (make run INPUT=FILE)" >&2
    listen --demo "$@"
fi
listen "$@"
