# A batch takes from every zone, and the same machines bear the first try of every revision.
given 3 machines with zone=a
given 3 machines with zone=b
given 3 machines with zone=c
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 3; maxUnavailable 3; spread zone
given all is Ready
when set runc: revision runc-2
  10:00:08 n1, n5, n7: to runc-2, batch 1
  10:00:08 runc: batch 1 (3) Updating until 2026-03-01T10:30:08Z: waits for n1, n5, n7
  10:00:08   event BatchStarted: Batch 1 of runc-2: 3 at most.
  10:00:09 n3, n4, n9: to runc-2, batch 2
  10:00:09 runc: batch 2 (3) Updating until 2026-03-01T10:30:09Z: waits for n3, n4, n9
  10:00:09   event BatchStarted: Batch 2 of runc-2: 3 at most.
  10:00:10 n2, n6, n8: to runc-2, batch 3
  10:00:10 runc: batch 3 (3) Updating until 2026-03-01T10:30:10Z: waits for n2, n6, n8
  10:00:10   event BatchStarted: Batch 3 of runc-2: 3 at most.
  10:00:11 runc: batch 3 (3) Done
  10:00:11   event RolledOut: runc-2 is on all 9 machines.
when set runc: revision runc-3
  10:00:13 n1, n5, n7: to runc-3, batch 1
  10:00:13 runc: batch 1 (3) Updating until 2026-03-01T10:30:13Z: waits for n1, n5, n7
  10:00:13   event BatchStarted: Batch 1 of runc-3: 3 at most.
  10:00:14 n3, n4, n9: to runc-3, batch 2
  10:00:14 runc: batch 2 (3) Updating until 2026-03-01T10:30:14Z: waits for n3, n4, n9
  10:00:14   event BatchStarted: Batch 2 of runc-3: 3 at most.
  10:00:15 n2, n6, n8: to runc-3, batch 3
  10:00:15 runc: batch 3 (3) Updating until 2026-03-01T10:30:15Z: waits for n2, n6, n8
  10:00:15   event BatchStarted: Batch 3 of runc-3: 3 at most.
  10:00:16 runc: batch 3 (3) Done
  10:00:16   event RolledOut: runc-3 is on all 9 machines.
end
  runc: Ready True RolledOut: runc-3 is on all 9 machines.
  runc-3: n1, n2, n3, n4, n5, n6, n7, n8, n9
