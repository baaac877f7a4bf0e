#!/usr/bin/env bash
# Builds edge-fer's Debian package: edge-fer_VERSION+debNN_ARCH.deb.
#
#     deploy/debian/build.sh SUITE ARCH BUNDLE OUT
#
# SUITE bookworm or trixie, ARCH amd64 or arm64, BUNDLE the folder of the bundle that goes in, OUT
# the folder for the package. Nothing of the other architecture is executed: wheels are unpacked
# into what `python3 -m venv` would have made for the suite's own Python, so dpkg knows every file.
# PYTHON (python3) must be at least 3.11 and have pip.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
if [ $# != 4 ]; then
  echo "build.sh: SUITE ARCH BUNDLE OUT" >&2
  exit 2
fi
suite=$1 arch=$2 bundle=$3 out=$4
python=${PYTHON:-python3}
export PYTHON=$python
case $suite in
  bookworm) minor=3.11 next=3.12 label=deb12 glibc=36 ;;
  trixie) minor=3.13 next=3.14 label=deb13 glibc=41 ;;
  *) echo "build.sh: $suite: write bookworm or trixie" >&2; exit 2 ;;
esac
case $arch in
  amd64) machine=x86_64 ;;
  arm64) machine=aarch64 ;;
  *) echo "build.sh: $arch: write amd64 or arm64" >&2; exit 2 ;;
esac
if [ ! -f "$bundle/manifest.json" ]; then
  echo "build.sh: $bundle: no manifest.json there: name a bundle's folder" >&2
  exit 66
fi
version=$("$python" - "$root/pyproject.toml" <<'END'
import sys, tomllib
print(tomllib.load(open(sys.argv[1], "rb"))["project"]["version"])
END
)+$label
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
tree=$work/tree home=$work/tree/usr/lib/edge-fer
site=$home/lib/python$minor/site-packages
mkdir -p "$site" "$home/bin" "$tree/usr/bin" "$tree/usr/share/edge-fer/bundles" \
  "$tree/usr/share/doc/edge-fer" "$tree/usr/lib/systemd/system" "$tree/usr/lib/udev/rules.d" \
  "$tree/etc/edge-fer" "$tree/DEBIAN"

# --- The packages, for the suite's Python and the board's processor.
"$root/deploy/wheels.sh" "$suite" "$machine" "$work/wheels" http,mqtt,sign
platforms=(--platform "manylinux2014_$machine")
for number in $(seq "$glibc" -1 17); do
  platforms+=(--platform "manylinux_2_${number}_$machine")
done
"$python" -m pip install --quiet --no-compile --no-index --no-deps --target "$site" \
  --only-binary ':all:' --implementation cp --python-version "$minor" "${platforms[@]}" \
  "$work/wheels/"*.whl
rm -rf "${site:?}/bin" "$site"/numpy/tests "$site"/numpy/*/tests
find "$site" -name __pycache__ -prune -exec rm -rf {} +  # some wheels bring theirs
rm -f "$site"/edge_fer/pretrained/weights.safetensors  # for training and converting

# --- What makes a folder a virtual environment; apt's picamera2 and libcamera are seen through it.
ln -s /usr/bin/python3 "$home/bin/python3"
ln -s python3 "$home/bin/python"
printf 'home = /usr/bin\ninclude-system-site-packages = true\nversion = %s\n' "$minor" > "$home/pyvenv.cfg"
cat > "$home/bin/edge-fer" <<'END'
#!/usr/lib/edge-fer/bin/python3
from edge_fer.cli import main

main()
END
chmod 755 "$home/bin/edge-fer"
ln -s ../lib/edge-fer/bin/edge-fer "$tree/usr/bin/edge-fer"

# --- The service, its configuration and a bundle.
sed -e 's|^ExecStart=/opt/edge-fer/current/bin/|ExecStart=/usr/bin/|' \
  -e 's|^Description=.*|&\nDocumentation=file:///usr/share/doc/edge-fer/README.md|' \
  "$root/deploy/edge-fer.service" > "$tree/usr/lib/systemd/system/edge-fer.service"
cp "$root/deploy/udev/"*.rules "$tree/usr/lib/udev/rules.d/"
mkdir "$tree/usr/share/edge-fer/systemd"
cp "$root/deploy/systemd/"*.conf "$tree/usr/share/edge-fer/systemd/"
name=$(basename "$(realpath "$bundle")")
cp -r "$(realpath "$bundle")" "$tree/usr/share/edge-fer/bundles/$name"
sed "s|^# bundle = .*|bundle = \"/usr/share/edge-fer/bundles/$name\"|" "$root/deploy/edge-fer.toml" \
  > "$tree/etc/edge-fer/edge-fer.toml"
grep -q '^bundle = ' "$tree/etc/edge-fer/edge-fer.toml"
grep -q '^ExecStart=/usr/bin/edge-fer' "$tree/usr/lib/systemd/system/edge-fer.service"

# --- What dpkg wants to know.
cp "$root/README.md" "$tree/usr/share/doc/edge-fer/"
gzip -9n < "$root/CHANGELOG.md" > "$tree/usr/share/doc/edge-fer/changelog.gz"
{
  echo "edge-fer: Apache-2.0, the text in /usr/share/common-licenses/Apache-2.0."
  echo "Packages of others in /usr/lib/edge-fer, each with its licence in its .dist-info folder:"
  (cd "$site" && ls -d ./*.dist-info) | sed 's|^\./|  |; s|\.dist-info$||'
} > "$tree/usr/share/doc/edge-fer/copyright"
for script in postinst prerm postrm; do
  install -m 755 "$here/$script" "$tree/DEBIAN/$script"
done
echo /etc/edge-fer/edge-fer.toml > "$tree/DEBIAN/conffiles"
sed -e "s|@VERSION@|$version|; s|@ARCH@|$arch|; s|@PYTHON@|$minor|; s|@NEXT@|$next|" \
  -e "s|@SIZE@|$(du -sk --exclude DEBIAN "$tree" | cut -f1)|" "$here/control" > "$tree/DEBIAN/control"
find "$tree" -type d -exec chmod 755 {} +
find "$tree" -type f -not -path '*/DEBIAN/*' -not -path '*/bin/*' -exec chmod 644 {} +
(cd "$tree" && find usr etc -type f -print0 | sort -z | xargs -0 md5sum) > "$tree/DEBIAN/md5sums"
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
package=$out/edge-fer_${version}_$arch.deb
dpkg-deb --root-owner-group -Zzstd -z12 --build "$tree" "$package.part" > /dev/null
mv "$package.part" "$package"
echo "$package: $(du -m "$package" | cut -f1) MB, $(du -sm --exclude DEBIAN "$tree" | cut -f1) MB installed"
