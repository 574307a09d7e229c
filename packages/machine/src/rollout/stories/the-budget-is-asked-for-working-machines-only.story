# A machine that is down costs nothing.
given 3 machines
given revisions runc-1, runc-2 that restart
given set runc: revision runc-1; batches 3; maxUnavailable 3
given all is Ready
when the budget allows 0 at once
when n2 does not work any more
when set runc: revision runc-2
  10:00:09 n2: to runc-2, batch 1
  10:00:09 runc: batch 1 (3) Updating until 2026-03-01T10:30:09Z: waits for n2
  10:00:09   event BatchStarted: Batch 1 of runc-2: 3 at most.
  10:00:10 runc: batch 1 (3) Waiting: the disruption budget: concurrent.cluster: 0 of 0 machines are disrupted now
  10:00:10   event Waiting: 1 of 3 machines run runc-2. Batch 1: the disruption budget: concurrent.cluster: 0 of 0 machines are disrupted now.
when n2 works again
when the budget allows 1 at once
  10:00:13 n1: to runc-2, batch 1
  10:00:13 runc: batch 1 (3) Updating until 2026-03-01T10:30:13Z: waits for n1
  10:00:14 n3: to runc-2, batch 1
  10:00:15 runc: batch 1 (3) Done
  10:00:15   event RolledOut: runc-2 is on all 3 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 3 machines.
  runc-2: n1, n2, n3
