# A person has paused one machine: the others go on, and it is named.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 3; maxUnavailable 3
given all is Ready
when machine n2 is paused
when set runc: revision runc-2
  10:00:07 n1, n3: to runc-2, batch 1
  10:00:07 runc: batch 1 (3) Updating until 2026-03-01T10:30:07Z: waits for n1, n3
  10:00:07   event BatchStarted: Batch 1 of runc-2: 3 at most.
  10:00:08 runc: batch 1 (3) Waiting: 1 machine cannot be moved now: n2 (the machine is paused)
  10:00:08   event Waiting: 2 of 3 machines run runc-2. Batch 1: 1 machine cannot be moved now: n2 (the machine is paused).
when machine n2 is not paused
  10:00:10 n2: to runc-2, batch 2
  10:00:10 runc: batch 2 (3) Updating until 2026-03-01T10:30:10Z: waits for n2
  10:00:10   event BatchStarted: Batch 2 of runc-2: 3 at most.
  10:00:11 runc: batch 2 (3) Done
  10:00:11   event RolledOut: runc-2 is on all 3 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 3 machines.
  runc-2: n1, n2, n3
