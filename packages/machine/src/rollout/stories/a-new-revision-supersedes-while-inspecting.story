# What the inspection says of the revision before is of no interest any more.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; inspections errors=Prometheus
given all is Ready
when set runc: revision runc-2
  10:00:08 n1: to runc-2, batch 1
  10:00:08 runc: batch 1 (1) Updating until 2026-03-01T10:30:08Z: waits for n1
  10:00:08   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:09 runc: batch 1 (1) Inspecting until 2026-03-01T10:05:09Z: inspection errors has to pass; otherwise the rollout stops at 2026-03-01T10:05:09Z
when set runc: revision runc-3
  10:00:11 n1: to runc-3, batch 1
  10:00:11 runc: batch 1 (1) Updating until 2026-03-01T10:30:11Z: waits for n1
  10:00:11   event BatchStarted: Batch 1 of runc-3: 1 at most.
  10:00:12 runc: batch 1 (1) Inspecting until 2026-03-01T10:05:12Z: inspection errors has to pass; otherwise the rollout stops at 2026-03-01T10:05:12Z
when inspection errors finds Passed: 0.001
  10:00:14 n3: to runc-3, batch 2
  10:00:14 runc: batch 2 (1) Updating until 2026-03-01T10:30:14Z: waits for n3
  10:00:14   event BatchPassed: Batch 1 was inspected and is well.
  10:00:14   event BatchStarted: Batch 2 of runc-3: 1 at most.
  10:00:15 n2: to runc-3, batch 3
  10:00:15 runc: batch 3 (1) Updating until 2026-03-01T10:30:15Z: waits for n2
  10:00:15   event BatchStarted: Batch 3 of runc-3: 1 at most.
  10:00:16 runc: batch 3 (1) Done
  10:00:16   event RolledOut: runc-3 is on all 3 machines.
end
  runc: Ready True RolledOut: runc-3 is on all 3 machines.
  runc-3: n1, n2, n3
