# Where nothing was ever completed, a bad first revision reaches one machine only.
given 4 machines
given revisions runc-1, runc-2, runc-3
given runc-1 fails everywhere
given set runc: revision runc-1; batches 1 3; maxUnavailable 1
when nothing
  10:00:01 n1: gets runc-1, batch 1
  10:00:01 runc: batch 1 (1) Updating until 2026-03-01T10:30:01Z: waits for n1
  10:00:01   event BatchStarted: Batch 1 of runc-1: 1 at most.
  10:00:02 runc: batch 1 (1) Paused: BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:02   event WARNING BatchFailed: Batch 1: n1 (Failed at step probe: probe socket: refused).
when set runc: revision runc-2
  10:00:04 n1: to runc-2, batch 1
  10:00:04 runc: batch 1 (1) Updating until 2026-03-01T10:30:04Z: waits for n1
  10:00:04   event Resumed: No longer stopped by BatchFailed: another revision was given, runc-2.
  10:00:04   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:05 n2, n3, n4: gets runc-2, batch 2
  10:00:05 runc: batch 2 (3) Updating until 2026-03-01T10:30:05Z: waits for n3, n2, n4
  10:00:05   event BatchStarted: Batch 2 of runc-2: 3 at most.
  10:00:06 runc: batch 2 (3) Done
  10:00:06   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
