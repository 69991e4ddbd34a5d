#!/bin/sh
# up.sh DIR - start a private Slurm cluster of virtual nodes on this machine. For tests.
#
# munged, slurmctld and one slurmd for each node run as root with all of their
# keys, state, sockets, logs and pid files under DIR, and listen on 127.0.0.1
# only.  Run again on a cluster that is up, it starts only what is missing.
# ". env.sh DIR" points the commands at it, "down.sh DIR" stops it.
#
# Each node has its own host name, /etc/hosts and /dev/shm (a UTS and a mount
# namespace): without them Open MPI takes the ranks of different nodes for
# neighbours.  All the rest, /tmp too, is common and plays the shared disk.
#
# From the environment:
#   SLURMBOX_NODES     number of virtual nodes, node1 to nodeN (2)
#   SLURMBOX_CPUS      CPUs declared for each node, real or not (4)
#   SLURMBOX_MEM       memory declared for each node, in MB (4096)
#   SLURMBOX_PORT      first port: slurmctld's; node I has PORT+I, srun takes
#                      from PORT+100 to PORT+299 (17800)
#   SLURMBOX_WAIT      seconds to wait for the nodes to be up (20)
#   SLURMBOX_NODEOPTS  more for each node, such as "Feature=fast"
#   SLURMBOX_EXTRA     more lines for slurm.conf
# All but PORT's range are fixed when DIR/etc/slurm.conf is first written.
set -eu
umask 022
me=up.sh
. "$(dirname "$0")/common.sh"

write_conf() {
	{
		cat <<-END
		ClusterName=slurmbox
		SlurmctldHost=$(hostname -s)(127.0.0.1)
		SlurmctldPort=$port
		SrunPortRange=$((port + 100))-$((port + 299))
		CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
		SlurmUser=root
		SlurmdUser=root
		AuthType=auth/munge
		CredType=cred/munge
		# A requeued job waits cred_expire seconds (120) before it starts.
		AuthInfo=socket=$dir/munge/munge.sock,cred_expire=5
		StateSaveLocation=$dir/state
		SlurmdSpoolDir=$dir/spool/%n
		# The PMIx plugin makes a directory for its clients here, named for
		# job and step only: nodes that share it fail with "File exists".
		TmpFS=$dir/tmp/%n
		SlurmctldPidFile=$dir/run/slurmctld.pid
		SlurmdPidFile=$dir/run/%n.pid
		SlurmctldLogFile=$dir/log/slurmctld.log
		SlurmdLogFile=$dir/log/%n.log
		SlurmctldDebug=verbose
		SlurmdDebug=verbose
		PlugStackConfig=$dir/etc/plugstack.conf
		MailProg=/bin/true
		# No cgroups and no binding: the nodes share the real cores.
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		JobAcctGatherType=jobacct_gather/none
		SelectType=select/cons_tres
		SelectTypeParameters=CR_CPU
		SlurmdParameters=config_overrides
		MpiDefault=pmix
		# No slurmdbd, so no sacct: a line for each job that has ended.
		AccountingStorageType=accounting_storage/none
		JobCompType=jobcomp/filetxt
		JobCompLoc=$dir/log/jobcomp.txt
		MinJobAge=3600
		# Start a job within half a second, not within three.
		SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
		# The machine may be busy: a node is DOWN after two or three
		# times the first, lost when a batch step starts later than
		# the second, and a message has the third to arrive.
		SlurmdTimeout=60
		BatchStartTimeout=100
		MessageTimeout=100
		ReturnToService=2
		KillWait=5
		END
		i=1
		while [ "$i" -le "$nodes" ]; do
			echo "NodeName=node$i NodeAddr=127.0.0.1" \
				"Port=$((port + i)) CPUs=$cpus" \
				"RealMemory=$mem ${SLURMBOX_NODEOPTS:-}"
			i=$((i + 1))
		done
		echo "PartitionName=batch Nodes=ALL Default=YES" \
			"DefaultTime=10 MaxTime=INFINITE State=UP"
		echo "${SLURMBOX_EXTRA:-}"
	} >"$dir/etc/slurm.conf.new"
	: >"$dir/etc/plugstack.conf"
	# With the default, "mixed", a rank now and then leaves MPI_Init while
	# another is still in its first fence, and the other one crashes.
	echo PMIxCollFence=ring >"$dir/etc/mpi.conf"
	{
		cat /etc/hosts
		i=1
		while [ "$i" -le "$nodes" ]; do
			echo "127.0.0.1 node$i"
			i=$((i + 1))
		done
	} >"$dir/etc/hosts"
	mv "$dir/etc/slurm.conf.new" "$dir/etc/slurm.conf"
}

# start_node NODE: into the namespaces of the steps that its last slurmd left
# behind, if any; else into new ones, with nothing left over in its spool (the
# PMIx plugin fails on the socket of a step that died with the node).
start_node() {
	left=$(node_pids "$1" | head -n 1)
	if [ -n "$left" ]; then
		set -- "$1" nsenter --target "$left" --uts --mount
	else
		rm -rf "$dir/spool/$1" "$dir/tmp/$1"
		mkdir -p "$dir/spool/$1" "$dir/tmp/$1"
		set -- "$1" unshare --uts --mount --propagation slave sh -ec '
			dir=$1 node=$2
			shift 2
			hostname "$node"
			mount --bind "$dir/etc/hosts" /etc/hosts
			mount -t tmpfs -o mode=1777 "slurmbox:$dir:$node" \
				/dev/shm
			exec "$@"
		' sh "$dir" "$1"
	fi
	node=$1
	shift
	"$@" slurmd -f "$SLURM_CONF" -N "$node" </dev/null \
		>>"$dir/log/start.log" 2>&1
}

[ $# -eq 1 ] && [ -n "$1" ] || die "usage: up.sh DIR"
[ "$(id -u)" -eq 0 ] || die "must run as root"
for cmd in munged slurmctld slurmd sinfo unshare nsenter; do
	command -v "$cmd" >/dev/null || die "no $cmd: apt-get install" \
		"munge slurmctld slurmd slurm-client util-linux"
done

nodes=${SLURMBOX_NODES:-2}
cpus=${SLURMBOX_CPUS:-4}
mem=${SLURMBOX_MEM:-4096}
port=${SLURMBOX_PORT:-17800}
limit=${SLURMBOX_WAIT:-20}

mkdir -p "$1"
dir=$(cd "$1" && pwd -P)
# The longest socket, DIR/spool/nodeN/stepd.slurm.pmix.JOB.STEP, must fit into
# 107 characters, and slurm.conf takes no blanks or commas in these settings.
[ ${#dir} -le 56 ] || die "$dir: longer than 56 characters"
case $dir in
*[!A-Za-z0-9/._-]*) die "$dir: only A-Z a-z 0-9 / . _ - can be in it" ;;
esac
mkdir -p "$dir/etc" "$dir/munge" "$dir/state" "$dir/spool" "$dir/tmp" \
	"$dir/log" "$dir/run"
[ -s "$dir/etc/slurm.conf" ] || write_conf
SLURM_CONF=$dir/etc/slurm.conf
export SLURM_CONF
nodes=$(grep -c '^NodeName=' "$SLURM_CONF")

if ! alive munged; then
	[ -s "$dir/munge/munge.key" ] ||
		(umask 077 && head -c 128 /dev/urandom >"$dir/munge/munge.key")
	munged --socket="$dir/munge/munge.sock" \
		--key-file="$dir/munge/munge.key" \
		--seed-file="$dir/munge/munged.seed" \
		--log-file="$dir/log/munged.log" \
		--pid-file="$dir/run/munged.pid" </dev/null \
		>>"$dir/log/start.log" 2>&1 ||
		die "munged did not start: see $dir/log/start.log"
fi

alive slurmctld || slurmctld -f "$SLURM_CONF" </dev/null \
	>>"$dir/log/start.log" 2>&1 ||
	die "slurmctld did not start: see $dir/log/start.log"

i=1
while [ "$i" -le "$nodes" ]; do
	alive "node$i" || start_node "node$i" ||
		die "node$i did not start: see $dir/log/start.log"
	i=$((i + 1))
done

# The commands above return before the daemons have bound their ports.
tries=$((limit * 10))
while :; do
	up=$(timeout 5 sinfo -h -N -o %T 2>/dev/null |
		grep -cE '^(idle|mixed|allocated|completing)$') || :
	i=0
	for name in slurmctld $(seq -f 'node%g' "$nodes"); do
		alive "$name" && i=$((i + 1))
	done
	[ "$up" -ge "$nodes" ] && [ "$i" -gt "$nodes" ] && break
	tries=$((tries - 1))
	if [ "$tries" -le 0 ]; then
		grep -hE 'error|fatal' "$dir"/log/slurmctld.log \
			"$dir"/log/node*.log | tail -n 10 >&2
		die "$up of $nodes nodes up after $limit s"
	fi
	sleep 0.1
done
