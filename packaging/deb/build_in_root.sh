#!/bin/sh
# What scripts/make_deb.sh runs inside the root of a release: the package from the files in /build, into /build/out.
# In /build: the wheel, source/ (the commit), and perhaps models/ and constraints.txt.
set -eu
cd /build
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PYTHONHASHSEED=0
umask 022
prefix=/opt/sound-detector
files=source/packaging/deb
stage=/build/stage

say() { echo "sound-detector: $*" >&2; }

# --- The program, where it will be ----------------------------------------------------------------------

say "installing what builds PyAudio"
apt-get -qq update
apt-get -qq -y --no-install-recommends install binutils ca-certificates gcc libc6-dev portaudio19-dev python3-dev \
    python3-pip python3-venv xz-utils >/dev/null

say "installing the program and its libraries into $prefix/venv"
wheel=$(ls sound_detector-*.whl)
rm -rf "$prefix"
python3 -m venv --without-pip $prefix/venv
rm -f $prefix/venv/.gitignore # Python 3.13 puts it there
# -g0: notes for a debugger would name folders that have another name each time.
CFLAGS=-g0 python3 -m pip --python $prefix/venv/bin/python install --quiet --no-input --no-compile --no-cache-dir \
    --disable-pip-version-check --root-user-action=ignore ${CONSTRAINED:+--constraint constraints.txt} \
    "/build/$wheel[mqtt,notify,web]"
python3 -m pip --python $prefix/venv/bin/python freeze --quiet --exclude sound-detector >python-packages.txt
find $prefix/venv -name '_portaudio*.so' -exec strip --strip-unneeded --remove-section=.comment {} +
# No user of the program may write here, so it is compiled now; unchecked-hash: files of the same code are the same.
$prefix/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash $prefix/venv/lib
$prefix/venv/bin/python -I -c 'import pyaudio, detector.cli.main'

say "bringing the models"
pull="$prefix/venv/bin/sound-detector models pull"
if [ -d models ]; then
    $pull yamnet --from models/yamnet.tflite
    $pull mn04 --from models/mn04_as_mAP_432.pt
else
    $pull yamnet+mn04
fi

# --- The package ----------------------------------------------------------------------------------------

. /etc/os-release
architecture=$(dpkg --print-architecture)
python=$(python3 -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")')
next=$(python3 -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1] + 1}")')
released=${wheel#sound_detector-}
# 1.2.0rc1 comes before 1.2.0, and the package of an older Debian before that of a newer one.
version=$(echo "${released%%-*}" | sed 's/\(a\|b\|rc\|\.dev\)\([0-9]\)/~\1\2/')-1+deb$VERSION_ID
systemd=$(apt-cache policy systemd | sed -n 's/^ *Candidate: \([0-9]*\).*/\1/p')

mkdir -p $stage/opt $stage/usr/bin $stage/usr/lib/systemd/system/sound-detector.service.d \
    $stage/etc/sound-detector $stage/DEBIAN out
cp -a $prefix $stage/opt/
mkdir $stage$prefix/scripts $stage$prefix/systemd
install -m 755 source/scripts/page_settings.sh $stage$prefix/scripts/
install -m 644 source/systemd/web-settings.conf source/systemd/settings-of-page.conf $stage$prefix/systemd/
ln -s $prefix/venv/bin/sound-detector $stage/usr/bin/sound-detector

units=$stage/usr/lib/systemd/system
install -m 644 source/systemd/sound-detector.service source/systemd/sound-detector-web.service $units
install -m 644 $files/service-user.conf $units/sound-detector.service.d/
# The unit of a user, and that neither it nor the page starts because a machine enables whatever is installed.
mkdir -p $stage/usr/lib/systemd/user $stage/usr/lib/systemd/user-preset $stage/usr/lib/systemd/system-preset
install -m 644 source/systemd/user/sound-detector.service $stage/usr/lib/systemd/user/
echo "disable sound-detector.service" >$stage/usr/lib/systemd/user-preset/50-sound-detector.preset
echo "disable sound-detector-web.service" >$stage/usr/lib/systemd/system-preset/50-sound-detector.preset
if [ "${systemd:-0}" -ge 253 ]; then
    install -m 644 source/systemd/notify-reload.conf $units/sound-detector.service.d/
fi
# As the installer of the service does: readable lines for the journal, and the socket whatever the source.
sed 's/^sinks: null$/sinks: [stdout:text, socket]/' source/config.yaml >$stage/etc/sound-detector/config.yaml
echo /etc/sound-detector/config.yaml >$stage/DEBIAN/conffiles

documents=$stage/usr/share/doc/sound-detector
mkdir -p $documents/examples $stage/usr/share/man/man1 $stage/usr/share/lintian/overrides
cp source/docs/*.md $documents
cp source/systemd/*.conf $documents/examples
{
    printf 'sound-detector, its models and the Python packages that come with it.\n\n'
    cat source/LICENSE
    printf '\nThe package holds the files of the models YAMNet and mn04 under the licences named above, and\n'
    printf 'these Python packages, each with its licence in /opt/sound-detector/venv/lib:\n\n'
    cat python-packages.txt
    printf '\nThe text of the Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0.\n'
} >$documents/copyright
cp python-packages.txt $documents
printf 'sound-detector (%s) %s; urgency=medium\n\n  * Version %s; its changes are in CHANGELOG.md of the project.\n\n -- %s  %s\n' \
    "$version" "$VERSION_CODENAME" "${released%%-*}" "$MAINTAINER" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" |
    gzip -9n >$documents/changelog.Debian.gz
gzip -9n <source/CHANGELOG.md >$documents/changelog.gz
gzip -9n <$files/sound-detector.1 >$stage/usr/share/man/man1/sound-detector.1.gz
cp $files/lintian-overrides $stage/usr/share/lintian/overrides/sound-detector

for script in preinst postinst prerm postrm; do
    install -m 755 $files/$script $stage/DEBIAN/
done
# Some wheels mark what is no program as one.
find $stage$prefix/venv/lib -type f -not -path '*/ai_edge_litert/tools/*' -exec chmod a-x {} +
chmod -R u=rwX,go=rX $stage
(cd $stage && find opt usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@PYTHON@/$python/; s/@NEXT_PYTHON@/$next/" \
    -e "s/@MAINTAINER@/$MAINTAINER/; s/@INSTALLED_SIZE@/$(du -sk --apparent-size $stage | cut -f1)/" \
    $files/control.in >$stage/DEBIAN/control

say "packing"
dpkg-deb --root-owner-group "-Z$COMPRESS" --build $stage "out/sound-detector_${version}_$architecture.deb" >/dev/null
