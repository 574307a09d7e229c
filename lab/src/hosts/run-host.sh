#!/bin/sh
# Runs one host: enters the control groups named before the first `--`, then runs the command after the second one in the groups named
# between them, again after each reboot (systemd-nspawn ends with 133 when the system in it asked for one). Any other status is a power-off.
enter() {
  pid=$1
  shift
  for group; do
    [ "$group" != -- ] || return 0
    echo "$pid" >"$group/cgroup.procs" || return 1
  done
}
enter $$ "$@" || exit 1
while [ "$1" != -- ]; do shift; done
shift
while :; do
  sh -c 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"' sh "$@"
  status=$?
  [ "$status" = 133 ] || exit "$status"
done
