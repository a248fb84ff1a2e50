#!/bin/sh
# What `sudo make uninstall-service` does: everything goes but the settings, the models and the state.
#   PURGE=1       these too
#   DESTDIR=DIR   only remove the files below DIR
set -eu

destination=${DESTDIR:-}
units=$destination/usr/local/lib/systemd/system
config=/etc/sound-detector
overrides="/etc/systemd/system/sound-detector.service.d /etc/systemd/system/sound-detector-web.service.d"
program=$destination/opt/sound-detector
kept="/opt/sound-detector/models /var/lib/sound-detector /var/lib/sound-detector-web /var/log/sound-detector"
private="/var/lib/private/sound-detector /var/lib/private/sound-detector-web /var/log/private/sound-detector"

say() { echo "sound-detector: $*" >&2; }

if [ -z "$destination" ]; then
    if [ "$(id -u)" != 0 ]; then
        say "this needs root: sudo make uninstall-service"
        exit 1
    fi
    if [ -d "$program/venv" ] && [ ! -L "$program/venv" ]; then
        say "the Debian package is installed; sudo apt-get remove sound-detector removes it"
        exit 1
    fi
    if [ -d /run/systemd/system ]; then
        systemctl stop sound-detector-web sound-detector 2>/dev/null || true
    fi
    systemctl disable --quiet sound-detector-web 2>/dev/null || true
    systemctl disable --quiet sound-detector 2>/dev/null || true
    # A Debian package that was here before would take this for the wish that its service shall stay off.
    enabled=/var/lib/systemd/deb-systemd-helper-enabled
    rm -f $enabled/sound-detector.service.dsh-also $enabled/multi-user.target.wants/sound-detector.service
fi
rm -rf "$units/sound-detector.service" "$units/sound-detector.service.d" "$units/sound-detector-web.service"
rm -rf "$program/venv" "$program/versions"
rmdir "$program" 2>/dev/null || true # where no models are in it
command=$destination/usr/local/bin/sound-detector
if [ "$(readlink "$command" 2>/dev/null)" = /opt/sound-detector/venv/bin/sound-detector ]; then
    rm -f "$command"
fi
if [ -z "$destination" ] && [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl reset-failed sound-detector sound-detector-web 2>/dev/null || true
fi
if [ "${PURGE:-}" = 1 ]; then
    for folder in $config $overrides $kept $private; do
        rm -rf "$destination$folder"
    done
    rmdir "$program" 2>/dev/null || true
    say "removed, with settings, models and state"
else
    settings=$config
    if [ -e "$destination/etc/systemd/system/sound-detector-web.service.d/settings.conf" ]; then
        settings=/var/lib/sound-detector-web/config.yaml
    fi
    say "removed; settings stay in $settings, models in /opt/sound-detector/models," \
        "history in /var/lib/sound-detector (PURGE=1 removes them)"
fi
