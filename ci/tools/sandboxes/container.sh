# Becomes a container's first process (sandboxes.py), in new namespaces of mounts, processes and host name.
#
#   container.sh PIDFILE ROOT HOSTNAME USER GROUP FOLDER [MODE SOURCE TARGET]… -- COMMAND …
#
# ROOT is an empty folder; a MODE is ro or rw.
set -eu

pidfile=$1 root=$2 hostname=$3 user=$4 group=$5 folder=$6
shift 6

read -r id _ </proc/self/stat # as the node counts: /proc is still the node's
exec 3>"$pidfile"

# bind MODE SOURCE TARGET: mounts a file or a folder.
bind() {
  if [ -d "$2" ]; then
    mkdir -p "$root$3"
  else
    mkdir -p "$(dirname "$root$3")"
    rm -f "$root$3"
    : >"$root$3"
  fi
  mount --rbind "$2" "$root$3"
  # Refused for a folder that is mounted with options of its own, which this namespace may not change; its owner is
  # another user then.
  if [ "$1" = ro ]; then mount -o remount,bind,ro "$root$3" 2>/dev/null || true; fi
}

hostname "$hostname"
mount -t tmpfs tmpfs "$root"
for place in /bin /sbin /lib /lib32 /lib64 /usr; do
  if [ -L "$place" ]; then
    cp -P "$place" "$root$place"
  elif [ -d "$place" ]; then
    bind ro "$place" "$place"
  fi
done
# Of links, so that more can be mounted in it.
bind ro /etc /.etc
mkdir "$root/etc"
names=(/etc/*)
ln -s -t "$root/etc" "${names[@]/#\/etc//.etc}"
bind rw /dev /dev
mkdir "$root/proc" "$root/tmp"
mount -t proc proc "$root/proc"
bind ro "$root/proc/sys" /proc/sys # which would let root's processes through, with or without capabilities
while [ "$1" != -- ]; do
  bind "$1" "$2" "$3"
  shift 3
done
shift
mount -o remount,bind,ro "$root"

# The id is told when others can enter the container: in its last namespace.
exec unshare --user --map-user="$user" --map-group="$group" --root="$root" --wd="$folder" -- \
  bash -c 'echo "$0" >&3; exec 3>&- "$@"' "$id" "$@"
