# The agent of the canary tries again by itself: when that succeeds, nobody has to do anything.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2
given all is Ready
given runc-2 fails and is tried again everywhere
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Paused: n1 (Failed at step probe: probe socket: refused): no more machines are moved until it is Ready, the revision changes, or retryToken is changed
  10:00:08   event WARNING BatchFailed: 0 of 3 machines run runc-2. Batch 1: n1 (Failed at step probe: probe socket: refused): no more machines are moved until it is Ready, the revision changes, or retryToken is changed.
when 5m pass
when runc-2 is good
  10:05:13 n2, n3: to runc-2, batch 2
  10:05:13 runc: batch 2 (2) Updating until 2026-03-01T10:35:13Z: waits for n3, n2
  10:05:13   event BatchStarted: Batch 2 of runc-2: 2 at most.
  10:05:14 runc: batch 2 (2) Done
  10:05:14   event RolledOut: runc-2 is on all 3 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 3 machines.
  runc-2: n1, n2, n3
