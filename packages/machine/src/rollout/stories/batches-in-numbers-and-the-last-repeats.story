# Sizes grow as they are written; the last repeats until all machines have it.
given 12 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 3; maxUnavailable 100%
given all is Ready
when set runc: revision runc-2
  10:00:10 n1: to runc-2, batch 1
  10:00:10 runc: batch 1 (1) Updating until 2026-03-01T10:30:10Z: waits for n1
  10:00:10   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:11 n2, n3, n5: to runc-2, batch 2
  10:00:11 runc: batch 2 (3) Updating until 2026-03-01T10:30:11Z: waits for n3, n2, n5
  10:00:11   event BatchStarted: Batch 2 of runc-2: 3 at most.
  10:00:12 n4, n6, n7: to runc-2, batch 3
  10:00:12 runc: batch 3 (3) Updating until 2026-03-01T10:30:12Z: waits for n4, n7, n6
  10:00:12   event BatchStarted: Batch 3 of runc-2: 3 at most.
  10:00:13 n8, n9, n10: to runc-2, batch 4
  10:00:13 runc: batch 4 (3) Updating until 2026-03-01T10:30:13Z: waits for n9, n8, n10
  10:00:13   event BatchStarted: Batch 4 of runc-2: 3 at most.
  10:00:14 n11, n12: to runc-2, batch 5
  10:00:14 runc: batch 5 (3) Updating until 2026-03-01T10:30:14Z: waits for n11, n12
  10:00:14   event BatchStarted: Batch 5 of runc-2: 3 at most.
  10:00:15 runc: batch 5 (3) Done
  10:00:15   event RolledOut: runc-2 is on all 12 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 12 machines.
  runc-2: n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12
