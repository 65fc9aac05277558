# The first process of a real node's namespaces (nodecluster.py): sets up their mounts and their network, says which process it is,
# and stays.
#
#   machine.sh FOLDER ADDRESS [SOURCE TARGET]…
#
# FOLDER holds what the node keeps; each SOURCE is mounted on its TARGET.
set -eu

folder=$1 address=$2
shift 2

read -r id _ </proc/self/stat # as the machine counts: /proc is still its own

mount --make-rshared / # the kubelet hands its mounts on to containers; the machine's are another group
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
# The programs keep much of theirs below /var, and the machine's own stays as it is.
mkdir "$folder/var" "$folder/var/upper" "$folder/var/work"
mount -t overlay -o "lowerdir=/var,upperdir=$folder/var/upper,workdir=$folder/var/work" overlay /var
while [ $# -gt 0 ]; do
  mount --bind "$1" "$2"
  shift 2
done
# The node reaches no other machine. A name server here refuses at once, and the machine's own would never answer: a
# missing image is an error in a second, and not in a minute.
echo "nameserver 127.0.0.1" >"$folder/resolv.conf"
[ ! -e /etc/resolv.conf ] || mount --bind "$folder/resolv.conf" /etc/resolv.conf

ip link set lo up
ip link add node0 type bridge
ip address add "$address/24" dev node0
ip link set node0 up
ip route add default dev node0 # leads nowhere; a node without a default route has no address to kube-proxy
echo 1 >/proc/sys/net/ipv4/ip_forward
# What leaves a pod for another one on its bridge goes through kube-proxy's rules as well.
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables

# What the kubelet wants of the kernel, and the whole machine would get: it reads these files instead.
mkdir "$folder/sysctl"
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
  kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  file=$folder/sysctl/$(basename "${setting%=*}")
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%=*}"
done

echo "$id"
sleep infinity # and not exec: a shell that waits for it also reaps the processes that others leave behind
