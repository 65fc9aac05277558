# Makes a sandbox's network on a node (sandboxes.py): $1 is the sandbox, $2 the last part of its address, $3 the network.
set -eu

ip netns add "$1"
# An interface's name has at most 15 characters.
ip link add "sandbox$2" type veth peer name eth0 netns "$1"
ip link set "sandbox$2" master sandboxes up
ip -n "$1" link set lo up
ip -n "$1" address add "$3.$2/24" dev eth0
ip -n "$1" link set eth0 up
