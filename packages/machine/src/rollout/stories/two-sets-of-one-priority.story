# Nobody decides: machines keep what they have, and both sets say so.
given 2 machines
given revisions runc-1, runc-2, runc-3
given set one: revision runc-1; batches 1; maxUnavailable 1
given all is Ready
when set two: revision runc-2
  10:00:07   event WARNING Conflicted: 2 machines (such as n1) are selected by one too, with the same priority 0: they keep what they have. Change a selector or spec.priority.
  10:00:07   event WARNING Conflicted: 2 machines (such as n1) are selected by two too, with the same priority 0: they keep what they have. Change a selector or spec.priority.
when set two: priority 1
  10:00:09 n1: to runc-2, batch 1
  10:00:09 two: batch 1 (1) Updating until 2026-03-01T10:30:09Z: waits for n1
  10:00:09   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:10 n2: to runc-2, batch 2
  10:00:10 two: batch 2 (5) Updating until 2026-03-01T10:30:10Z: waits for n2
  10:00:10   event BatchStarted: Batch 2 of runc-2: 5 at most.
  10:00:11 two: batch 2 (5) Done
  10:00:11   event RolledOut: runc-2 is on all 2 machines.
end
  one: Ready True NoMachines: The selector selects no machine: there is nothing to do.
  two: Ready True RolledOut: runc-2 is on all 2 machines.
  runc-2: n1, n2
