# What was wrong was not the revision: a person has the failed machine tried again.
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 3; maxUnavailable 3
given all is Ready
given runc-2 fails everywhere
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Paused: BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:08   event WARNING BatchFailed: Batch 1: n1 (Failed at step probe: probe socket: refused).
when runc-2 is good
when set runc: retryToken again
  10:00:13 n2, n3, n4: to runc-2, batch 2
  10:00:13 runc: batch 2 (3) Updating until 2026-03-01T10:30:13Z: waits for n3, n2, n4
  10:00:13   event Resumed: No longer stopped by BatchFailed: retryToken was changed.
  10:00:13   event BatchStarted: Batch 2 of runc-2: 3 at most.
  10:00:14 runc: batch 2 (3) Done
  10:00:14   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
