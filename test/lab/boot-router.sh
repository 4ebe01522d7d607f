# Turns the calling namespaces into a Linux router: boot-router.sh FOLDER HOSTNAME COLLECTOR VERSION INTERFACE
# FOLDER holds etc/ with passwd, shadow and group, sshd_config, rsyslog.conf and rules.nft. Runs until its daemons end.
set -eu
folder=$1 hostname=$2 collector=$3 version=$4 interface=$5

# Users, /dev/log and /run of its own; nothing of it is seen outside of this mount namespace. Whole folders, because a mount on
# a single file goes when somebody outside replaces that file.
mount --make-rprivate /
for name in nsswitch.conf ld.so.cache localtime services protocols hosts alternatives; do
  [ ! -e "/etc/$name" ] || cp -a "/etc/$name" "$folder/etc/"
done
mount --bind "$folder/etc" /etc
mkdir -p "$folder/dev"
mount -t tmpfs -o mode=755,size=1m tmpfs "$folder/dev"
for device in null zero full random urandom tty; do
  : >"$folder/dev/$device"
  mount --bind "/dev/$device" "$folder/dev/$device"
done
mkdir "$folder/dev/pts" "$folder/dev/shm"
mount --bind /dev/pts "$folder/dev/pts"
ln -s pts/ptmx "$folder/dev/ptmx"
ln -s /proc/self/fd "$folder/dev/fd"
mount --move "$folder/dev" /dev
mount -t tmpfs -o mode=755,size=8m tmpfs /run
mkdir /run/sshd
hostname "$hostname"

echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f "$folder/rules.nft"

rsyslogd -n -f "$folder/rsyslog.conf" -i "$folder/rsyslogd.pid" &
while [ ! -S /dev/log ]; do sleep 0.1; done
"$(command -v sshd)" -D -f "$folder/sshd_config" &
softflowd -d -i "$interface" -n "$collector" -v "$version" -t maxlife=5 -t expint=5 \
  -p /run/softflowd.pid -c "$folder/softflowd.ctl" &
touch "$folder/booted"
wait -n 2>/dev/null || wait
