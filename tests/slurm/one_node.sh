#!/usr/bin/env bash
# A real Slurm of one node, this machine, without accounting: for tests on a throw-away machine with Debian's packages.
# Needs root. A Slurm that is configured here already is left alone.
set -euo pipefail
configuration=/etc/slurm/slurm.conf

if ! command -v slurmctld slurmd munged >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge; } ||
        exit 75
fi
if [ ! -e "$configuration" ]; then
    host=$(hostname -s)
    node=$(slurmd -C | head -1) # its processors and memory, as slurmd sees them
    cat >"$configuration" <<EOF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=slurm
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
$node NodeAddr=127.0.0.1
PartitionName=all Nodes=$host Default=YES
EOF
fi
for service in munge slurmctld slurmd; do
    service "$service" start
done
for _ in $(seq 30); do
    sinfo --noheader --format %t | grep -qx idle && exit
    sleep 1
done
sinfo
echo "the node did not become idle; see /var/log/slurm/" >&2
exit 1
