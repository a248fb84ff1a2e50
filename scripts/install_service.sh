#!/bin/sh
# What `sudo make install-service` does; run again, it upgrades and changes no setting.
#   PYTHON=python3.12   the interpreter, outside the home folders, which the service cannot see
#   MODEL=FILE          a model file that is here already (yamnet.tflite, mn04_as_mAP_432.pt), instead of fetching it
#   WEB=1               the web page too, as a service of its own; an upgrade keeps it
#   WEB=settings        the page, which may also change settings, lock and delete clips and teach sounds
#   DESTDIR=DIR         only place the files below DIR: no interpreter, no model, nothing is started
set -eu
cd "$(dirname "$0")/.."

prefix=/opt/sound-detector
units=/usr/local/lib/systemd/system
config=/etc/sound-detector/config.yaml
destination=${DESTDIR:-}
page_config=/var/lib/private/sound-detector-web/config.yaml
page_settings=$destination/etc/systemd/system/sound-detector-web.service.d/settings.conf
web=${WEB:-}
if [ -z "$web" ] && [ -e "$page_settings" ]; then
    web=settings
elif [ -z "$web" ] && [ -e "$destination$units/sound-detector-web.service" ]; then
    web=1
fi
extras=${EXTRAS:-}${web:+${EXTRAS:+,}web}
build=

say() { echo "sound-detector: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

# --- The program ----------------------------------------------------------------------------------------

has_package() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

install_system_packages() {
    command -v apt-get >/dev/null || return 0
    wanted="libportaudio2 portaudio19-dev gcc"
    case $python in
    python3 | /usr/bin/python3) wanted="$wanted python3-dev python3-venv" ;;
    esac
    missing=
    for package in $wanted; do
        has_package "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing to build PyAudio:$missing"
    apt-get -qq update
    # shellcheck disable=SC2086  # one word for each package
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing >/dev/null
}

check_python() {
    command -v "$python" >/dev/null || fail "there is no interpreter $python; try make install-service PYTHON=python3"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed, $python is $("$python" --version 2>&1)"
    home=$("$python" -c 'import os, sys; print(os.path.realpath(sys.base_prefix))')
    case $home/ in
    /root/* | /home/* | /run/user/*)
        fail "$python lives in $home, which the service cannot see; try make install-service PYTHON=/usr/bin/python3"
        ;;
    esac
}

# Each version gets a folder of its own and is switched to when it is whole: what runs goes on until then.
install_program() {
    new=$prefix/versions/$(date -u +%Y%m%dT%H%M%S)
    say "installing into $new (a minute or two, longer on a Raspberry Pi)"
    build=$(mktemp -d)
    trap 'rm -rf "$build" "$new"' EXIT
    cp -R setup.cfg pyproject.toml README.md LICENSE detector models "$build"
    mkdir -p "$prefix/versions"
    "$python" -m venv "$new"
    "$new/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "$build${extras:+[$extras]}"
    "$new/bin/python" -I -c 'import pyaudio, detector.cli.main' || fail "what was installed does not run"
}

switch_program() {
    ln -sfn "$new" "$prefix/venv"
    trap - EXIT
    rm -rf "$build"
    for other in "$prefix"/versions/*; do
        [ "$other" = "$new" ] || rm -rf "$other"
    done
    command=/usr/local/bin/sound-detector
    if [ ! -e $command ] && [ ! -L $command ]; then
        mkdir -p /usr/local/bin
        ln -s $prefix/venv/bin/sound-detector $command
    fi
}

# They go to $prefix/models, which is root's alone. Nothing is read or written in the folders of the service: what
# lies there, it may have put there. Models of the user who called sudo serve as well; a checksum decides.
install_models() {
    unset SOUND_DETECTOR_HOME
    models="$new/bin/sound-detector models"
    if [ -n "${MODEL:-}" ]; then
        $models pull yamnet --from "$MODEL" 2>/dev/null || $models pull mn04 --from "$MODEL" ||
            fail "MODEL takes yamnet.tflite or mn04_as_mAP_432.pt"
    fi
    install_model yamnet yamnet.tflite ||
        fail "bring the file yourself: sudo make install-service MODEL=/path/to/yamnet.tflite"
    $models verify yamnet
    if ! pulled=$(install_model mn04 mn04_as_mAP_432.pt 2>&1); then
        say "mn04 cannot be had now, so yamnet listens alone; docs/service.md says how to add it"
        return
    fi
    echo "$pulled"
}

install_model() { # install_model NAME FILE
    own=$(getent passwd "${SUDO_USER:-root}" | cut -d: -f6)/.local/share/sound-detector/models/$1/$2
    if [ -f "$own" ] && ! $models verify "$1" >/dev/null 2>&1; then
        $models pull "$1" --from "$own" >/dev/null || true
    fi
    $models pull "$1" # leaves alone what is whole, and builds what is built here
}

# --- The files ------------------------------------------------------------------------------------------

systemd_version() { systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p'; }

place_files() {
    mkdir -p "$destination$units/sound-detector.service.d" "$destination$(dirname $config)"
    install -m 644 systemd/sound-detector.service "$destination$units/"
    version=$(systemd_version)
    if [ "${version:-0}" -ge 253 ]; then
        install -m 644 systemd/notify-reload.conf "$destination$units/sound-detector.service.d/"
    else
        rm -f "$destination$units/sound-detector.service.d/notify-reload.conf"
    fi
    if [ -n "$web" ]; then
        install -m 644 systemd/sound-detector-web.service "$destination$units/"
    fi
    if [ -e "$page_settings" ]; then
        say "your settings stay: $page_config"
    elif [ -e "$destination$config" ]; then
        say "your settings stay: $config"
    else
        # Readable lines for the journal, and the socket whatever the source.
        sed 's/^sinks: null$/sinks: [stdout:text, socket]/' config.yaml >"$destination$config"
        chmod 644 "$destination$config"
    fi
}

# --- The start ------------------------------------------------------------------------------------------

start() {
    systemctl enable --quiet sound-detector
    if [ ! -d /run/systemd/system ]; then
        say "systemd does not run here: the service starts at the next boot"
        return
    fi
    systemctl daemon-reload
    systemctl reset-failed sound-detector 2>/dev/null || true
    systemctl --no-block restart sound-detector
    tries=0
    while [ $tries -lt 20 ] && ! systemctl --quiet is-active sound-detector; do
        ! systemctl --quiet is-failed sound-detector || break
        sleep 1
        tries=$((tries + 1))
    done
    if systemctl --quiet is-active sound-detector; then
        say "it listens: $(systemctl show -P StatusText sound-detector)"
    else
        journalctl --quiet --no-pager -n 5 -o cat -u sound-detector >&2 || true
        say "no sound arrives yet; it goes on trying. sudo sound-detector devices lists the microphones," \
            "$config chooses one, then: sudo systemctl restart sound-detector"
    fi
}

start_web() {
    systemctl enable --quiet sound-detector-web
    [ -d /run/systemd/system ] || return 0
    systemctl reset-failed sound-detector-web 2>/dev/null || true
    if systemctl restart sound-detector-web; then
        say "the page: $(systemctl show -P StatusText sound-detector-web) (docs/service.md: for other machines)"
    else
        say "the page does not start: journalctl -u sound-detector-web"
    fi
}

explain() {
    cat >&2 <<END
sound-detector: see its events    journalctl -f -o cat -u sound-detector
                subscribe         sound-detector listen           (as a member of the group audio)
                settings          $config, then: sudo systemctl reload sound-detector
                more              docs/service.md
END
}

# --- In order -------------------------------------------------------------------------------------------

# Before the start: where the settings are is part of it.
allow_page() {
    if [ "$web" = settings ]; then
        scripts/page_settings.sh on
    elif [ -e "$page_settings" ]; then
        scripts/page_settings.sh off
    fi
}

if [ -n "$destination" ]; then
    place_files
    allow_page
    exit 0
fi
[ "$(id -u)" = 0 ] || fail "this needs root: sudo make install-service"
command -v systemctl >/dev/null || fail "there is no systemd here; docs/service.md says how to go without"
getent group audio >/dev/null || fail "there is no group audio, to which sound devices belong; groupadd --system audio"
if [ -d $prefix/venv ] && [ ! -L $prefix/venv ]; then
    fail "the Debian package is installed; sudo apt-get remove sound-detector first, settings and history stay"
fi
umask 022
python=${PYTHON:-/usr/bin/python3}
install_system_packages
check_python
install_program
install_models
place_files
switch_program
allow_page
start
[ -z "$web" ] || start_web
explain
