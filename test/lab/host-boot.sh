# Turns the calling namespaces into a Linux host: host-boot.sh FOLDER HOSTNAME GROUP
# FOLDER holds passwd, shadow, group, sshd_config, rsyslog.conf and start.sh, which loads the firewall and starts what else there is.
# GROUP is the group id of everything that runs here: audit records name it, and no namespace. Runs until its daemons end.
set -eu
folder=$1 hostname=$2 group=$3
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset HOME

# /etc, /dev/log, /run and /var of its own; nothing of it is seen outside of this mount namespace. Whole folders, because a mount
# on a single file goes when somebody outside replaces that file.
mount --make-rprivate /
mkdir -p "$folder/etc" "$folder/dev"
mount -t tmpfs -o mode=755,size=32m tmpfs "$folder/etc"
cp -a /etc/. "$folder/etc/"
install -m 644 "$folder/passwd" "$folder/group" "$folder/etc/"
install -m 600 "$folder/shadow" "$folder/etc/"
printf 'Defaults !fqdn\nDefaults secure_path="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"\nDefaults env_keep += OUT\nalice ALL=(ALL:ALL) NOPASSWD: ALL\nansible ALL=(ALL:ALL) NOPASSWD: ALL\n' >"$folder/etc/sudoers"
chmod 440 "$folder/etc/sudoers"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$hostname" >"$folder/etc/hosts"
mount --move "$folder/etc" /etc
mount -t tmpfs -o mode=755,size=1m tmpfs "$folder/dev"
for device in null zero full random urandom tty kmsg; do
  : >"$folder/dev/$device"
  mount --bind "/dev/$device" "$folder/dev/$device"
done
mkdir "$folder/dev/pts" "$folder/dev/shm"
mount --bind /dev/pts "$folder/dev/pts"
ln -s pts/ptmx "$folder/dev/ptmx"
ln -s /proc/self/fd "$folder/dev/fd"
mount --move "$folder/dev" /dev
mount -t tmpfs -o mode=755,size=8m tmpfs /run
mkdir /run/sshd /run/lock /run/sudo
for state in /var/log /var/lib/ufw /var/lib/fail2ban; do
  [ ! -d "$state" ] || mount -t tmpfs -o mode=755,size=16m tmpfs "$state"
done
hostname "$hostname"

# Until a line of the kernel's comes through: a reader that starts while the ring buffer turns over may be left without.
tries=0
until grep -qs "=$OUT is up" /var/log/kern.log; do
  if [ $((tries % 20)) -eq 0 ]; then
    # One that ends takes /dev/log with it.
    [ "$tries" -eq 0 ] || { kill "$syslog"; wait "$syslog" || true; }
    rm -f /dev/log /run/rsyslogd.pid
    rsyslogd -n -f "$folder/rsyslog.conf" -i /run/rsyslogd.pid &
    syslog=$!
    while [ ! -S /dev/log ]; do sleep 0.1; done
    echo "syslog of =$OUT is up" >/dev/kmsg
  fi
  tries=$((tries + 1))
  [ "$tries" -lt 200 ]
  sleep 0.1
done
sh -eu "$folder/start.sh"
"$(command -v sshd)" -D -f "$folder/sshd_config" &
touch "$folder/booted"
wait
