#!/bin/sh
# Prepare this checkout for `make`: scripts/setup.sh run|web|test|dev
#   run   system packages, .venv with the project and its run-time dependencies, the default models
#   web   the same, with what the web page needs
#   test  as run, with what the tests need
#   dev   the same, with formatter, linter and type checker, without the model
# TEST_EXTRAS=eval,plot installs these extras of setup.cfg for the tests too, which otherwise skip what needs them;
# CONSTRAINTS=FILE holds packages to the versions that the file names, as pip's --constraint does.
# What is there already is left alone: a second call takes a few hundredths of a second and no network.
set -eu
cd "$(dirname "$0")/.."

level=$1
python=.venv/bin/python
stamp=.venv/.installed-$level
# A stamp counts for this folder and this user's models only: a moved checkout is installed again.
run_signature="$PWD ${SOUND_DETECTOR_HOME:-${XDG_DATA_HOME:-${HOME:-}/.local/share}}"
more=
if [ "$level" = test ]; then
    more=${TEST_EXTRAS:+,$TEST_EXTRAS}
fi
signature=$run_signature$more

say() { echo "sound-detector: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

# Run a command, silent unless it fails.
quietly() {
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        fail "this failed: $*"
    fi
    rm -f "$log"
}

venv_works() {
    [ -x $python ] && $python -I -c 'import sys; from importlib.util import find_spec
sys.exit(not (find_spec("detector") and find_spec("pyaudio")))' 2>/dev/null
}

# True where .venv was made by another Python than the one asked for with PYTHON=.
wrong_python() {
    [ -n "${PYTHON:-}" ] && [ "$("$PYTHON" --version 2>&1)" != "$($python --version 2>&1)" ]
}

installed() {
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$signature" ] || return 1
    [ -z "$(find setup.cfg pyproject.toml -newer "$stamp")" ] && venv_works && ! wrong_python
}

# --- What the system must bring -------------------------------------------------------------------------

has_package() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
has_portaudio() { echo '#include <portaudio.h>' | cc -E - >/dev/null 2>&1; }
has_venv() { "$base" -c 'import ensurepip, venv' 2>/dev/null; }
has_python_headers() {
    "$base" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' 2>/dev/null
}

missing=
why=
need() { # need PACKAGE REASON
    missing="$missing $1"
    why="$why${why:+, }$1 ($2)"
}

find_missing() {
    missing=
    why=
    command -v "$base" >/dev/null || need python3 "the interpreter"
    has_venv || need python3-venv "to make .venv"
    if venv_works && ! wrong_python; then
        return # PyAudio is built: no compiler is needed
    fi
    command -v cc >/dev/null || need gcc "to build PyAudio"
    has_python_headers || need python3-dev "to build PyAudio"
    has_portaudio || need portaudio19-dev "to build PyAudio"
    case $(uname -m) in
    armv*) has_package libsndfile1 || need libsndfile1 "to read recordings" ;;
    esac
}

apt_install() { # apt_install PREFIX PACKAGE...: PREFIX is sudo, "sudo -n" or nothing
    prefix=$1
    shift
    # shellcheck disable=SC2086  # the prefix is zero, one or two words
    quietly $prefix apt-get -qq update
    # shellcheck disable=SC2086
    quietly $prefix env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "$@"
}

install_system_packages() {
    find_missing
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        fail "please install PortAudio with its headers, a C compiler and Python 3.11 or newer with venv" \
            "(macOS: brew install portaudio python; Fedora: dnf install portaudio-devel gcc python3-devel)"
    fi
    if [ "$(id -u)" = 0 ]; then
        prefix=
    elif command -v sudo >/dev/null; then
        prefix=sudo
    else
        fail "this needs root: apt-get install$missing"
    fi
    say "installing system packages${prefix:+ with sudo}: $why"
    # shellcheck disable=SC2086  # one word for each package
    apt_install "$prefix" $missing
    find_missing
    [ -z "$missing" ] || fail "$base still lacks: $why; choose another interpreter with make PYTHON=..."
}

# What tests use beside Python: a virtual microphone, a real systemd, certificates, recordings of all kinds.
# Where these cannot be had, those tests skip and say so.
install_test_packages() {
    command -v apt-get >/dev/null || return 0
    missing=
    # mosquitto only for CI: where there is a service manager, its package starts a broker.
    for package in pulseaudio pulseaudio-utils libasound2-plugins systemd-container openssl ffmpeg sox flac \
        ${CI:+mosquitto}; do
        has_package $package || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        prefix=
    elif sudo -n true 2>/dev/null; then
        prefix="sudo -n"
    else
        say "some tests will be skipped; they need: sudo apt-get install$missing"
        return 0
    fi
    say "installing for the tests:$missing"
    # shellcheck disable=SC2086
    (apt_install "$prefix" $missing) || say "the tests that need these will be skipped"
}

# --- What Python brings ---------------------------------------------------------------------------------

make_venv() {
    if [ -x $python ] && $python -m pip --version >/dev/null 2>&1 && ! wrong_python; then
        return
    fi
    rm -rf .venv
    say "making .venv with $("$base" --version)"
    quietly "$base" -m venv .venv
}

install_project() {
    case $level in
    run) extras= ;;
    web) extras="[web]" ;;
    test) extras="[onnx,test$more]" ;;
    dev) extras="[onnx,test,dev]" ;;
    *) fail "unknown level $level: one of run, web, test, dev" ;;
    esac
    say "installing the project$extras into .venv (a minute or two, longer on a Raspberry Pi)"
    quietly $python -m pip install --quiet --no-input --disable-pip-version-check \
        ${CONSTRAINTS:+--constraint "$CONSTRAINTS"} --editable ".$extras"
}

# Nothing is fetched that is already there and whole. mn04 makes the default model surer, and YAMNet does without.
get_models() {
    .venv/bin/sound-detector models pull yamnet
    .venv/bin/sound-detector models verify yamnet
    if ! pulled=$(.venv/bin/sound-detector models pull mn04 2>&1); then
        say "mn04 cannot be had now, so yamnet listens alone; later: sound-detector models pull mn04 [--from FILE]"
        return
    fi
    echo "$pulled"
}

# --- In order -------------------------------------------------------------------------------------------

if installed; then
    exit 0
fi
base=${PYTHON:-python3}
if command -v "$base" >/dev/null; then
    "$base" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed, $base is $("$base" --version 2>&1); try make PYTHON=python3.12"
elif [ -n "${PYTHON:-}" ]; then
    fail "there is no interpreter $base"
fi
if command -v brew >/dev/null; then # macOS: compilers do not look there by themselves
    CPATH=$(brew --prefix)/include${CPATH:+:$CPATH}
    LIBRARY_PATH=$(brew --prefix)/lib${LIBRARY_PATH:+:$LIBRARY_PATH}
    export CPATH LIBRARY_PATH
fi
install_system_packages
make_venv
install_project
if [ "$level" = test ]; then
    install_test_packages
fi
if [ "$level" != dev ]; then
    get_models
fi
echo "$signature" >"$stamp"
if [ "$level" = test ] || [ "$level" = web ]; then
    echo "$run_signature" >.venv/.installed-run # which is a part of it
fi
