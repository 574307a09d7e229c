#!/bin/sh
# Runs one host: enters the control groups named before `--`, then runs the command after it, again after each reboot
# (systemd-nspawn ends with 133 when the system in it asked for one). Any other status is a power-off.
while [ "$1" != -- ]; do
  echo $$ >"$1/cgroup.procs" || exit 1
  shift
done
shift
while :; do
  "$@"
  status=$?
  [ "$status" = 133 ] || exit "$status"
done
