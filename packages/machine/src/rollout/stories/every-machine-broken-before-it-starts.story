# What was broken before does not count against the batch that mends it.
given 4 nodes
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 2; maxUnavailable 1; inspections baseline=BuiltIn
given all is Ready
when the Node of n1 has KernelDeadlock since 2026-02-01T00:00:00Z
when the Node of n2 has KernelDeadlock since 2026-02-01T00:00:00Z
when the Node of n3 has KernelDeadlock since 2026-02-01T00:00:00Z
when the Node of n4 has KernelDeadlock since 2026-02-01T00:00:00Z
when set runc: revision runc-2
  10:00:11 n1: to runc-2, batch 1
  10:00:11 runc: batch 1 (2) Updating until 2026-03-01T10:30:11Z: waits for n1
  10:00:11   event BatchStarted: Batch 1 of runc-2: 2 at most.
  10:00:12 n3: to runc-2, batch 1
  10:00:13 n2: to runc-2, batch 2
  10:00:13 runc: batch 2 (2) Updating until 2026-03-01T10:30:13Z: waits for n2
  10:00:13   event BatchStarted: Batch 2 of runc-2: 2 at most.
  10:00:14 n4: to runc-2, batch 2
  10:00:15 runc: batch 2 (2) Done
  10:00:15   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
