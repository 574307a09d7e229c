# One machine fails for good: no other is touched, and a person has to say what next. A fixed revision goes through by itself.
given 5 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2
given all is Ready
given runc-2 fails everywhere
when set runc: revision runc-2
  10:00:08 n1: to runc-2, batch 1
  10:00:08 runc: batch 1 (1) Updating until 2026-03-01T10:30:08Z: waits for n1
  10:00:08   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:09 runc: batch 1 (1) Paused: BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:09   event WARNING BatchFailed: Batch 1: n1 (Failed at step probe: probe socket: refused).
when 10h passes
when set runc: revision runc-3
  20:00:13 n1: to runc-3, batch 1
  20:00:13 runc: batch 1 (1) Updating until 2026-03-01T20:30:13Z: waits for n1
  20:00:13   event Resumed: No longer stopped by BatchFailed: another revision was given, runc-3.
  20:00:13   event BatchStarted: Batch 1 of runc-3: 1 at most.
  20:00:14 n2, n3: to runc-3, batch 2
  20:00:14 runc: batch 2 (2) Updating until 2026-03-01T20:30:14Z: waits for n3, n2
  20:00:14   event BatchStarted: Batch 2 of runc-3: 2 at most.
  20:00:15 n4, n5: to runc-3, batch 3
  20:00:15 runc: batch 3 (2) Updating until 2026-03-01T20:30:15Z: waits for n5, n4
  20:00:15   event BatchStarted: Batch 3 of runc-3: 2 at most.
  20:00:16 runc: batch 3 (2) Done
  20:00:16   event RolledOut: runc-3 is on all 5 machines.
end
  runc: Ready True RolledOut: runc-3 is on all 5 machines.
  runc-3: n1, n2, n3, n4, n5
