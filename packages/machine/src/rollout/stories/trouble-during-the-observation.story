# Healthy for a while, then a problem condition comes up on the Node: stopped at once.
given 3 nodes
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections baseline=BuiltIn; observation 10m
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Observing until 2026-03-01T10:10:08Z: observed until 2026-03-01T10:10:08Z, and inspected once more; then the next batch begins
  10:00:08   event BatchInspected: Batch 1 is Ready: baseline (components and Nodes are Ready, nothing new is wrong); observed until 2026-03-01T10:10:08Z.
when 4m pass
when the Node of n1 has KernelDeadlock
  10:04:12 runc: batch 1 (1) Paused: ObservationFailed in batch 1: inspection baseline failed: n1: the Node has KernelDeadlock (Detected). It goes on with another revision, with another retryToken, or with promote set to this revision
  10:04:12   event WARNING ObservationFailed: Batch 1: inspection baseline failed: n1: the Node has KernelDeadlock (Detected).
when the Node of n2 has KernelDeadlock
when the Node of n3 has KernelDeadlock
end
  runc: Ready False ObservationFailed: 1 of 3 machines run runc-2. ObservationFailed in batch 1: inspection baseline failed: n1: the Node has KernelDeadlock (Detected). It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n2, n3
  runc-2: n1
