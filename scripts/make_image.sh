#!/bin/sh
# Build the container image from this checkout and name it: scripts/make_image.sh [sound-detector | home-assistant-app]
#   BUILDER=podman     or docker; without it the one that is installed
#   PACKAGES=ffmpeg    more packages of Debian for the image sound-detector
# With podman also:
#   BASE=DIR           a root of Debian trixie, which stands for debian:trixie-slim where no registry can be reached
#   MODELS=DIR         a folder with yamnet.tflite and mn04_as_mAP_432.pt; without it they are downloaded
set -eu
cd "$(dirname "$0")/.."

say() { echo "sound-detector: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

image=${1:-sound-detector}
if [ -z "${BUILDER:-}" ]; then
    for builder in podman docker; do
        command -v $builder >/dev/null && BUILDER=$builder && break
    done
fi
[ -n "${BUILDER:-}" ] || fail "there is no builder here: apt install podman, or docker"
case $BUILDER in
podman*) options="--format docker --isolation chroot" ;;
*)
    [ -z "${BASE:-}${MODELS:-}" ] || fail "BASE and MODELS need podman"
    options=
    ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
if [ "$image" = home-assistant-app ]; then
    [ -n "${WHEEL:-}" ] || { ${PYTHON:-.venv/bin/python} scripts/release.py >&2 && WHEEL=$(ls dist/*.whl); }
    context=$work/app
    cp -R packaging/home-assistant-app "$context"
    cp "$WHEEL" "$context"
    set -- --tag sound-detector-home-assistant-app "$context"
elif [ "$image" = sound-detector ]; then
    set -- --build-arg "PACKAGES=${PACKAGES:-}" --file packaging/oci/Dockerfile --tag sound-detector .
else
    fail "there is no image $image; sound-detector and home-assistant-app are those"
fi
if [ -n "${BASE:-}" ]; then
    say "taking $BASE for debian:trixie-slim"
    # shellcheck disable=SC2086  # a command with its options
    tar -C "$BASE" --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./usr/share/doc/*' \
        --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' -c . |
        $BUILDER import --quiet - docker.io/library/debian:trixie-slim >/dev/null
    options="$options --pull=never"
fi
if [ -n "${MODELS:-}" ]; then
    set -- --volume "$(realpath "$MODELS"):/brought:ro" "$@"
fi
# pip goes through what this machine goes through.
if [ -n "${PIP_CERT:-}${PIP_INDEX_URL:-}" ] && [ "${BUILDER#podman}" != "$BUILDER" ]; then
    {
        echo "[global]"
        [ -z "${PIP_INDEX_URL:-}" ] || echo "index-url = $PIP_INDEX_URL"
        [ -z "${PIP_CERT:-}" ] || echo "cert = /certificates.pem"
    } >"$work/pip.conf"
    set -- --volume "$work/pip.conf:/etc/pip.conf:ro" ${PIP_CERT:+--volume "$(realpath "$PIP_CERT"):/certificates.pem:ro"} "$@"
fi
# shellcheck disable=SC2086
$BUILDER build $options "$@"
