# A Node stays not Ready: at the deadline the rollout stops.
given 2 nodes
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; inspections baseline=BuiltIn/3m
given all is Ready
when all reads nothing
when set runc: revision runc-2
  10:00:08 n1: to runc-2, batch 1
  10:00:08 runc: batch 1 (1) Updating until 2026-03-01T10:30:08Z: waits for n1
  10:00:08   event BatchStarted: Batch 1 of runc-2: 1 at most.
when the Node of n1 is not Ready
when the Node of n2 is not Ready
when all is back
  10:00:13 runc: batch 1 (1) Inspecting until 2026-03-01T10:03:13Z: inspection baseline has to pass: n1: the Node is not Ready: container runtime is down; otherwise the rollout stops at 2026-03-01T10:03:13Z
when 10m pass
  10:03:13 runc: batch 1 (1) Paused: InspectionFailed in batch 1: inspection baseline failed: n1: the Node is not Ready: container runtime is down. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:03:13   event WARNING InspectionFailed: Batch 1: inspection baseline failed: n1: the Node is not Ready: container runtime is down.
end
  runc: Ready False InspectionFailed: 1 of 2 machines run runc-2. InspectionFailed in batch 1: inspection baseline failed: n1: the Node is not Ready: container runtime is down. It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n2
  runc-2: n1
