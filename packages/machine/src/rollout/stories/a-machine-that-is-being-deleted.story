# It is no longer decided for, and nothing waits for it.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1
given all is Ready
when n1, n2, n3 reads nothing
when set runc: revision runc-2
  10:00:09 n1: to runc-2, batch 1
  10:00:09 runc: batch 1 (1) Updating until 2026-03-01T10:30:09Z: waits for n1
  10:00:09   event BatchStarted: Batch 1 of runc-2: 1 at most.
when machine n1 is being deleted
  10:00:12 n3: to runc-2, batch 1
when machine n2 is being deleted
when n1, n2, n3 are back
  10:00:17 runc: batch 1 (1) Done
  10:00:17   event RolledOut: runc-2 is on the only machine.
when machine n1 is gone
when machine n2 is gone
end
  runc: Ready True RolledOut: runc-2 is on the only machine.
  runc-2: n3
