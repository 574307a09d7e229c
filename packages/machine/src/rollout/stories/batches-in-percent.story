# Percent are of the machines of the set, rounded up.
given 15 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1% 50% 100%; maxUnavailable 100%
given all is Ready
when set runc: revision runc-2
  10:00:08 n1: to runc-2, batch 1
  10:00:08 runc: batch 1 (1) Updating until 2026-03-01T10:30:08Z: waits for n1
  10:00:08   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:09 n2, n3, n4, n5, n6, n7, n8, n9: to runc-2, batch 2
  10:00:09 runc: batch 2 (8) Updating until 2026-03-01T10:30:09Z: waits for n3, n2, n5 and 5 more
  10:00:09   event BatchStarted: Batch 2 of runc-2: 8 at most.
  10:00:10 n10, n11, n12, n13, n14, n15: to runc-2, batch 3
  10:00:10 runc: batch 3 (15) Updating until 2026-03-01T10:30:10Z: waits for n10, n11, n12 and 3 more
  10:00:10   event BatchStarted: Batch 3 of runc-2: 15 at most.
  10:00:11 runc: batch 3 (15) Done
  10:00:11   event RolledOut: runc-2 is on all 15 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 15 machines.
  runc-2: n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14, n15
