#!/bin/sh
# Runs a command in a host: enters the host's control groups named before `--`, so that it counts as the host's and is frozen and
# killed with it, then the namespaces of its process 1 (the first argument).
leader=$1
shift
while [ "$1" != -- ]; do
  echo $$ >"$1/cgroup.procs" || exit 125
  shift
done
shift
exec nsenter --target "$leader" --all --wdns=/root -- "$@"
