# All machines are down under a revision: maxUnavailable is far exceeded, and the fix reaches them all the same, batch by batch.
given 5 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 1
given all is Ready
when all does not work any more
when set runc: revision runc-2
  10:00:10 n1: to runc-2, batch 1
  10:00:10 runc: batch 1 (1) Updating until 2026-03-01T10:30:10Z: waits for n1
  10:00:10   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:11 n2, n3: to runc-2, batch 2
  10:00:11 runc: batch 2 (2) Updating until 2026-03-01T10:30:11Z: waits for n3, n2
  10:00:11   event BatchStarted: Batch 2 of runc-2: 2 at most.
  10:00:12 n4, n5: to runc-2, batch 3
  10:00:12 runc: batch 3 (2) Updating until 2026-03-01T10:30:12Z: waits for n5, n4
  10:00:12   event BatchStarted: Batch 3 of runc-2: 2 at most.
  10:00:13 runc: batch 3 (2) Done
  10:00:13   event RolledOut: runc-2 is on all 5 machines.
when all works again
end
  runc: Ready True RolledOut: runc-2 is on all 5 machines.
  runc-2: n1, n2, n3, n4, n5
