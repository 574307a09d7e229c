# One machine of a batch may fail: the rollout goes past it, names it at the end, and has it tried again when a person says so.
given 6 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 3; maxUnavailable 3; maxFailed 1
given all is Ready
given n1 fails what is new
when set runc: revision runc-2
  10:00:07 n1, n2, n3: to runc-2, batch 1
  10:00:07 runc: batch 1 (3) Updating until 2026-03-01T10:30:07Z: waits for n1, n3, n2
  10:00:07   event BatchStarted: Batch 1 of runc-2: 3 at most.
  10:00:08 n4, n5: to runc-2, batch 2
  10:00:08 runc: batch 2 (3) Updating until 2026-03-01T10:30:08Z: waits for n5, n4
  10:00:08   event BatchStarted: Batch 2 of runc-2: 3 at most.
  10:00:09 n6: to runc-2, batch 2
  10:00:10 runc: batch 2 (3) Waiting: all others have it; n1 (Failed at step probe: probe socket: refused): change retryToken to have it tried again, or give another revision
  10:00:10   event WARNING BatchFailed: 5 of 6 machines run runc-2. Batch 2: all others have it; n1 (Failed at step probe: probe socket: refused): change retryToken to have it tried again, or give another revision.
when 1h passes
when n1 works again
  11:00:14 runc: batch 2 (3) Done
  11:00:14   event RolledOut: runc-2 is on all 6 machines.
when set runc: retryToken again
end
  runc: Ready True RolledOut: runc-2 is on all 6 machines.
  runc-2: n1, n2, n3, n4, n5, n6
