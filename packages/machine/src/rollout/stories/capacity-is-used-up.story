# As many are down as may be: nothing healthy is touched, and it says by whom.
given 5 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 5; maxUnavailable 1
given all is Ready
when n2 is silent
when set runc: revision runc-2
  10:00:08 runc: no batch yet Waiting: maxUnavailable 1 of 5 machines is used up by n2 (its agent does not report)
  10:00:08   event Waiting: 0 of 5 machines run runc-2. No batch has begun: maxUnavailable 1 of 5 machines is used up by n2 (its agent does not report).
when n2 is back
  10:00:10 n1: to runc-2, batch 1
  10:00:10 runc: batch 1 (5) Updating until 2026-03-01T10:30:10Z: waits for n1
  10:00:10   event BatchStarted: Batch 1 of runc-2: 5 at most.
  10:00:11 n3: to runc-2, batch 1
  10:00:12 n2: to runc-2, batch 1
  10:00:13 n5: to runc-2, batch 1
  10:00:14 n4: to runc-2, batch 1
  10:00:15 runc: batch 1 (5) Done
  10:00:15   event RolledOut: runc-2 is on all 5 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 5 machines.
  runc-2: n1, n2, n3, n4, n5
