# Two hosts are away: they leave less room, are not waited for, and get their turn when they are back.
given 6 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 6; maxUnavailable 3
given all is Ready
when n1, n2 are silent
when set runc: revision runc-2
  10:00:08 n3: to runc-2, batch 1
  10:00:08 runc: batch 1 (6) Updating until 2026-03-01T10:30:08Z: waits for n3
  10:00:08   event BatchStarted: Batch 1 of runc-2: 6 at most.
  10:00:09 n5: to runc-2, batch 1
  10:00:10 n4: to runc-2, batch 1
  10:00:11 n6: to runc-2, batch 1
  10:00:12 runc: batch 1 (6) Waiting: 2 machines cannot be moved now: n1 (its agent does not report), n2 (its agent does not report)
  10:00:12   event Waiting: 4 of 6 machines run runc-2. Batch 1: 2 machines cannot be moved now: n1 (its agent does not report), n2 (its agent does not report).
when n1, n2 are back
  10:00:14 n1, n2: to runc-2, batch 2
  10:00:14 runc: batch 2 (6) Updating until 2026-03-01T10:30:14Z: waits for n1, n2
  10:00:14   event BatchStarted: Batch 2 of runc-2: 6 at most.
  10:00:15 runc: batch 2 (6) Done
  10:00:15   event RolledOut: runc-2 is on all 6 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 6 machines.
  runc-2: n1, n2, n3, n4, n5, n6
