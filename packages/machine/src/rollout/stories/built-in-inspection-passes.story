# Components and Nodes are Ready and nothing new is wrong; looked at after the move, during the observation, and at its end.
given 2 nodes
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; inspections baseline=BuiltIn; observation 10m
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Observing until 2026-03-01T10:10:08Z: observed until 2026-03-01T10:10:08Z, and inspected once more; then the next batch begins
  10:00:08   event BatchInspected: Batch 1 is Ready: baseline (components and Nodes are Ready, nothing new is wrong); observed until 2026-03-01T10:10:08Z.
when 30m pass
  10:10:08 n2: to runc-2, batch 2
  10:10:08 runc: batch 2 (1) Updating until 2026-03-01T10:40:08Z: waits for n2
  10:10:08   event BatchPassed: Batch 1 was observed and is well.
  10:10:08   event BatchStarted: Batch 2 of runc-2: 1 at most.
  10:10:09 runc: batch 2 (1) Observing until 2026-03-01T10:20:09Z: observed until 2026-03-01T10:20:09Z, and inspected once more; then the rollout is done
  10:10:09   event BatchInspected: Batch 2 is Ready: baseline (components and Nodes are Ready, nothing new is wrong); observed until 2026-03-01T10:20:09Z.
  10:20:09 runc: batch 2 (1) Done
  10:20:09   event BatchPassed: Batch 2 was observed and is well.
  10:20:09   event RolledOut: runc-2 is on all 2 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 2 machines.
  runc-2: n1, n2
