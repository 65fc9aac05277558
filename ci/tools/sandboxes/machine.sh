# The first process of a node's namespaces (sandboxes.py): sets up their network, says which process it is, and stays.
# $1 is the network.
set -eu

read -r id _ </proc/self/stat # as the machine counts: /proc is still its own
mount -t proc proc /proc
mount -t tmpfs tmpfs /run # for `ip netns`, which keeps the sandboxes' networks there
ip link set lo up
ip link add sandboxes type bridge
ip address add "$1.1/24" dev sandboxes
ip link set sandboxes up

echo "$id"
sleep infinity # and not exec: a shell that waits for it also reaps the processes that containers leave behind
