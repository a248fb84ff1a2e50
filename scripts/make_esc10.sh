#!/bin/sh
# Make the bundled model, models/esc10 (or the folder named as the second argument), from ESC-10: the folder of
# ten classes of 40 clips. Needs sound-detector[train,networks]; 8 minutes of one core. The same versions of PyTorch
# and numpy on the same processor give the same figures. docs/training.md says why it is trained like this.
set -eu

if [ $# -lt 1 ]; then
    echo "usage: scripts/make_esc10.sh ESC-10 [OUT]" >&2
    exit 2
fi
out=${2:-$(dirname "$0")/../models/esc10}
sound-detector train "$1" --out "$out" --overwrite --arch cnn --augment filter --jobs 1 --licence "CC-BY-3.0" \
    --attribution "Trained on ESC-10 alone: K. J. Piczak, ESC: Dataset for Environmental Sound Classification, \
ACM Multimedia 2015 (https://github.com/karolpiczak/ESC-10), CC BY 3.0; its clips are from freesound.org."
rm -f "$out/report.html" # it names files of the machine that it was made on
