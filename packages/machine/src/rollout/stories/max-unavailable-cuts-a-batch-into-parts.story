# A batch larger than maxUnavailable goes in parts; it is one batch all the same.
given 6 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 6; maxUnavailable 2
given all is Ready
when n3 reads nothing
when set runc: revision runc-2
  10:00:07 n1, n3: to runc-2, batch 1
  10:00:07 runc: batch 1 (6) Updating until 2026-03-01T10:30:07Z: waits for n1, n3
  10:00:07   event BatchStarted: Batch 1 of runc-2: 6 at most.
  10:00:08 n2: to runc-2, batch 1
  10:00:09 n5: to runc-2, batch 1
  10:00:10 n4: to runc-2, batch 1
  10:00:11 n6: to runc-2, batch 1
when n3 is back
  10:00:14 runc: batch 1 (6) Done
  10:00:14   event RolledOut: runc-2 is on all 6 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 6 machines.
  runc-2: n1, n2, n3, n4, n5, n6
