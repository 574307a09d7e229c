# The only machine of a batch is taken away: the batch has nothing to wait for.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1
given all is Ready
when all reads nothing
when set runc: revision runc-2
  10:00:09 n1: to runc-2, batch 1
  10:00:09 runc: batch 1 (1) Updating until 2026-03-01T10:30:09Z: waits for n1
  10:00:09   event BatchStarted: Batch 1 of runc-2: 1 at most.
when machine n1 is gone
  10:00:12 n3: to runc-2, batch 1
when machine n2 is gone
when all is back
  10:00:17 runc: batch 1 (1) Done
  10:00:17   event RolledOut: runc-2 is on the only machine.
end
  runc: Ready True RolledOut: runc-2 is on the only machine.
  runc-2: n3
