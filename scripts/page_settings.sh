#!/bin/sh
# Lets the web page change the daemon's settings, lock and delete clips and teach sounds, or takes that back.
#   page_settings.sh on     the settings move into the page's folder, and page and daemon become one user
#   page_settings.sh off    the settings move back; the page shows them, and changes nothing
#   DESTDIR=DIR             only place the files below DIR: nothing is moved or started
# `make install-service WEB=settings` calls it; docs/service.md says what it means.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
destination=${DESTDIR:-}
of_daemon=$destination/etc/systemd/system/sound-detector.service.d/page.conf
of_page=$destination/etc/systemd/system/sound-detector-web.service.d/settings.conf
config=/etc/sound-detector/config.yaml
folder=/var/lib/private/sound-detector-web

say() { echo "sound-detector: $*" >&2; }

fail() {
    say "$@"
    exit 1
}

note_whether_on() {
    was_on=
    if [ -e "$of_page" ] && [ -e $folder/config.yaml ]; then
        was_on=yes
    fi
}

place() {
    mkdir -p "$(dirname "$of_daemon")" "$(dirname "$of_page")"
    install -m 644 "$here/systemd/settings-of-page.conf" "$of_daemon"
    install -m 644 "$here/systemd/web-settings.conf" "$of_page"
}

start() {
    [ -d /run/systemd/system ] || return 0
    systemctl daemon-reload
    systemctl reset-failed sound-detector sound-detector-web 2>/dev/null || true
    # The page first: the manager gives it its folder, from which the daemon then reads.
    systemctl restart sound-detector-web || say "the page does not start: journalctl -u sound-detector-web"
    systemctl --no-block restart sound-detector
}

# The Debian package puts its own settings where none are.
set_unused_aside() {
    mv -f $config $config.unused
    say "what was in $config was not used: it is $config.unused now"
}

turn_on() {
    note_whether_on
    place
    [ -z "$destination" ] || return 0
    [ -d /var/lib/private ] || mkdir -m 700 /var/lib/private
    [ -d $folder ] || mkdir -m 750 $folder
    if [ ! -e $folder/config.yaml ] && [ ! -L $folder/config.yaml ]; then
        [ -f $config ] || fail "there are no settings in $config"
        install -m 640 $config $folder/config.yaml
        # Its owner becomes the page's user: the manager looks at the folder's owner, and gives all that is in it away.
        chown root:root $folder
    fi
    if [ "$was_on" ] && [ -f $config ]; then
        set_unused_aside
    elif [ -f $config ]; then
        mv -f $config $config.before-page
        say "the settings are in $folder/config.yaml now; as they were: $config.before-page"
    fi
    start
}

turn_off() {
    note_whether_on
    rm -f "$of_daemon" "$of_page"
    [ -z "$destination" ] || return 0
    if [ "$was_on" ] || [ ! -e $config ]; then
        # Who took over the page could have put a link there, to a file that only root may read.
        (umask 022 && dd iflag=nofollow status=none if=$folder/config.yaml of=$config.new)
        [ ! -e $config ] || set_unused_aside
        mv -f $config.new $config
        rm -f $folder/config.yaml
        say "the settings are in $config again"
    fi
    start
}

if [ -z "$destination" ] && [ "$(id -u)" != 0 ]; then
    fail "this needs root"
fi
case ${1:-} in
on) turn_on ;;
off) turn_off ;;
*) fail "expected on or off, got '${1:-}'" ;;
esac
