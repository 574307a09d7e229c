# Right after the move the Node is not Ready for a moment: that has until the inspection's deadline.
given 2 nodes
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; inspections baseline=BuiltIn
given all is Ready
when all reads nothing
when set runc: revision runc-2
  10:00:08 n1: to runc-2, batch 1
  10:00:08 runc: batch 1 (1) Updating until 2026-03-01T10:30:08Z: waits for n1
  10:00:08   event BatchStarted: Batch 1 of runc-2: 1 at most.
when the Node of n1 is not Ready
when the Node of n2 is not Ready
when all is back
  10:00:13 runc: batch 1 (1) Inspecting until 2026-03-01T10:05:13Z: inspection baseline has to pass: n1: the Node is not Ready: container runtime is down; otherwise the rollout stops at 2026-03-01T10:05:13Z
when 1m passes
when the Node of n1 is Ready
  10:01:17 n2: to runc-2, batch 2
  10:01:17 runc: batch 2 (1) Updating until 2026-03-01T10:31:17Z: waits for n2
  10:01:17   event BatchPassed: Batch 1 was inspected and is well.
  10:01:17   event BatchStarted: Batch 2 of runc-2: 1 at most.
  10:01:18 runc: batch 2 (1) Done
  10:01:18   event RolledOut: runc-2 is on all 2 machines.
when the Node of n2 is Ready
end
  runc: Ready True RolledOut: runc-2 is on all 2 machines.
  runc-2: n1, n2
