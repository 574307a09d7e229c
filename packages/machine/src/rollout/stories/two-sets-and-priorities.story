# Two sets of one component: the one of the higher priority decides for its machines, each with its own batches.
given 2 machines with pool=web
given 2 machines with pool=db
given revisions runc-1, runc-2, runc-3
given set all: revision runc-1; batches 1; maxUnavailable 1
given all is Ready
when set web: revision runc-2; priority 10; selector pool=web; batches 1; maxUnavailable 1
  10:00:09 n1: to runc-2, batch 1
  10:00:09 web: batch 1 (1) Updating until 2026-03-01T10:30:09Z: waits for n1
  10:00:09   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:10 n2: to runc-2, batch 2
  10:00:10 web: batch 2 (1) Updating until 2026-03-01T10:30:10Z: waits for n2
  10:00:10   event BatchStarted: Batch 2 of runc-2: 1 at most.
  10:00:11 web: batch 2 (1) Done
  10:00:11   event RolledOut: runc-2 is on all 2 machines.
when set web: priority -10
  10:00:13 n1: to runc-1, batch 1
  10:00:13 all: batch 1 (1) Updating until 2026-03-01T10:30:13Z: waits for n1
  10:00:13   event BatchStarted: Batch 1 of runc-1: 1 at most.
  10:00:14 n2: to runc-1, batch 2
  10:00:14 all: batch 2 (1) Updating until 2026-03-01T10:30:14Z: waits for n2
  10:00:14   event BatchStarted: Batch 2 of runc-1: 1 at most.
  10:00:15 all: batch 2 (1) Done
  10:00:15   event RolledOut: runc-1 is on all 4 machines.
end
  all: Ready True RolledOut: runc-1 is on all 4 machines.
  web: Ready True NoMachines: The selector selects no machine: there is nothing to do. Looked for machines with pool=web.
  runc-1: n1, n2, n3, n4
