# A promoted revision that fails stops like any other; promoted again it does not get.
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 2
given all is Ready
given runc-2 fails everywhere
when set runc: revision runc-2; promote runc-2
  10:00:09 n1: to runc-2, batch 1
  10:00:09 runc: batch 1 (1) Updating until 2026-03-01T10:30:09Z: waits for n1
  10:00:09   event Promoted: runc-2 was promoted; skipped: the inspections and observations of all batches that were not done.
  10:00:09   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:10 runc: batch 1 (1) Paused: BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:10   event WARNING BatchFailed: Batch 1: n1 (Failed at step probe: probe socket: refused).
when runc-2 is good
when set runc: retryToken again
  10:00:15 n3: to runc-2, batch 2
  10:00:15 runc: batch 2 (1) Updating until 2026-03-01T10:30:15Z: waits for n3
  10:00:15   event Resumed: No longer stopped by BatchFailed: retryToken was changed.
  10:00:15   event BatchStarted: Batch 2 of runc-2: 1 at most.
  10:00:16 n2: to runc-2, batch 3
  10:00:16 runc: batch 3 (1) Updating until 2026-03-01T10:30:16Z: waits for n2
  10:00:16   event BatchStarted: Batch 3 of runc-2: 1 at most.
  10:00:17 n4: to runc-2, batch 4
  10:00:17 runc: batch 4 (1) Updating until 2026-03-01T10:30:17Z: waits for n4
  10:00:17   event BatchStarted: Batch 4 of runc-2: 1 at most.
  10:00:18 runc: batch 4 (1) Done
  10:00:18   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
