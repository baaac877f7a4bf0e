#!/bin/sh
# Runs tests/v4l2 on a real V4L2 device: the kernel's own `vivid` driver, in a virtual machine that
# sees this file system read-only (its writes go to memory). No KVM is needed. Debian 12, root:
#   apt-get install -y --no-install-recommends qemu-system-x86 busybox-static cpio kmod v4l-utils
# Usage: tests/v4l2/guest.sh PYTHON [pytest arguments]; GUEST_S is the longest run, in
# seconds; GUEST_RUN another command for the guest.
set -eu
python=$1
shift
here=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
cache=$here/.cache/v4l2
mkdir -p "$cache"
cd "$cache"

for tool in qemu-system-x86_64 busybox cpio depmod v4l2-ctl apt-get; do
    command -v "$tool" >/dev/null || { echo "test-v4l2 needs $tool (see $0)" >&2; exit 69; }
done

if [ ! -e kernel/done ]; then
    package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p' | head -1)
    apt-get download "$package"
    dpkg-deb -x "$package"_*.deb kernel
    rm "$package"_*.deb
    touch kernel/done
fi
version=$(ls kernel/lib/modules)

rm -rf tree
mkdir -p tree/bin tree/mod tree/proc tree/sys tree/dev tree/lo tree/up tree/h
cp "$(command -v busybox)" tree/bin/busybox
depmod -b kernel "$version"
number=10
for module in virtio_pci 9pnet_virtio 9p overlay vivid; do
    modprobe -d "$PWD/kernel" -S "$version" --show-depends $module
done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' > modules
while read -r file; do
    cp "$file" "tree/mod/$number-${file##*/}"
    number=$((number + 1))
done < modules

cat > tree/init <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev
for module in /mod/*; do
    case $module in
        *vivid*) insmod "$module" n_devs=1 node_types=0x1 num_inputs=1 input_types=0 ;;
        *) insmod "$module" ;;
    esac
done
echo "guest: $(uname -r), modules loaded after $(cut -d' ' -f1 /proc/uptime) s"
mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose hostroot /lo
mount -t tmpfs t /up; mkdir /up/u /up/w
mount -t overlay -o lowerdir=/lo,upperdir=/up/u,workdir=/up/w o /h
mount -t proc p /h/proc; mount -t sysfs s /h/sys; mount -t devtmpfs d /h/dev
mkdir -p /h/dev/shm /h/mod; cp /mod/*vivid* /h/mod/vivid.ko
chroot /h /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LANG=C.UTF-8 sh -c "$(cat /cmd)"
echo "GUEST-RC=$?"
poweroff -f
INIT
chmod +x tree/init
tests="'$python' -m pytest tests/v4l2 -p no:cacheprovider -v --timeout 900 $*"
echo "cd '$here' && EDGE_FER_VIVID=1 ${GUEST_RUN:-$tests}" > tree/cmd
(cd tree && find . | cpio -o -H newc --quiet | gzip) > tree.gz

# Root of the guest is the host's; a module that is gone can be loaded again from /mod.
# Emulation takes all it can get: it gives way to whatever else runs here.
nice -n 12 timeout "${GUEST_S:-1800}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1536 -nographic \
    -no-reboot -kernel "kernel/boot/vmlinuz-$version" -initrd tree.gz \
    -append "console=ttyS0 quiet panic=-1" \
    -virtfs local,path=/,mount_tag=hostroot,security_model=none,readonly=on,multidevs=remap \
    -nic none </dev/null 2>&1 | stdbuf -oL tr -d '\r' | tee log
echo "linux $version, $(qemu-system-x86_64 --version | head -1)"
grep -q '^GUEST-RC=0$' log
