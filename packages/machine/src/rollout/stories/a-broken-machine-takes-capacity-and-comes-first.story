# A machine whose component does not work takes capacity, and is the first to get the new revision.
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1
given all is Ready
when n4 does not work any more
when n4 works again
when n3 does not work any more
when set runc: revision runc-2
  10:00:15 n3: to runc-2, batch 1
  10:00:15 runc: batch 1 (1) Updating until 2026-03-01T10:30:15Z: waits for n3
  10:00:15   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:16 n1: to runc-2, batch 2
  10:00:16 runc: batch 2 (1) Updating until 2026-03-01T10:30:16Z: waits for n1
  10:00:16   event BatchStarted: Batch 2 of runc-2: 1 at most.
  10:00:17 n2: to runc-2, batch 3
  10:00:17 runc: batch 3 (1) Updating until 2026-03-01T10:30:17Z: waits for n2
  10:00:17   event BatchStarted: Batch 3 of runc-2: 1 at most.
  10:00:18 n4: to runc-2, batch 4
  10:00:18 runc: batch 4 (1) Updating until 2026-03-01T10:30:18Z: waits for n4
  10:00:18   event BatchStarted: Batch 4 of runc-2: 1 at most.
  10:00:19 runc: batch 4 (1) Done
  10:00:19   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
