# shellcheck shell=sh
# common.sh - what up.sh, down.sh and node.sh share. Source it with $me, the script's name, and $dir, the cluster's, set.

die() {
	echo "$me: $*" >&2
	exit 1
}

# alive NAME: its pid file names a live process that was started for DIR.
# (A zombie has no command line: where process 1 reaps none, they stay.)
alive() {
	[ -s "$dir/run/$1.pid" ] || return 1
	read -r pid <"$dir/run/$1.pid" || return 1
	tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$dir/"
}

# node_pids [NODE]: all that runs on it, or on any, by the name its /dev/shm is mounted by
node_pids() {
	grep -lF " slurmbox:$dir:${1:+$1 }" /proc/[0-9]*/mountinfo 2>/dev/null |
		cut -d / -f 3
}
