# The query is asked after the batch, and once more at the end of the observation.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections errors=Prometheus; observation 10m
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Inspecting until 2026-03-01T10:05:08Z: inspection errors has to pass; otherwise the rollout stops at 2026-03-01T10:05:08Z
when inspection errors finds Passed: 0.001 is not above 0.01
  10:00:10 runc: batch 1 (1) Observing until 2026-03-01T10:10:10Z: observed until 2026-03-01T10:10:10Z, and inspected once more; then the next batch begins
  10:00:10   event BatchInspected: Batch 1 is Ready: errors (0.001 is not above 0.01); observed until 2026-03-01T10:10:10Z.
when 30m pass
  10:10:10 n2, n3: to runc-2, batch 2
  10:10:10 runc: batch 2 (2) Updating until 2026-03-01T10:40:10Z: waits for n3, n2
  10:10:10   event BatchPassed: Batch 1 was observed and is well.
  10:10:10   event BatchStarted: Batch 2 of runc-2: 2 at most.
  10:10:11 runc: batch 2 (2) Observing until 2026-03-01T10:20:11Z: observed until 2026-03-01T10:20:11Z, and inspected once more; then the rollout is done
  10:10:11   event BatchInspected: Batch 2 is Ready: errors (0.001 is not above 0.01); observed until 2026-03-01T10:20:11Z.
  10:20:11 runc: batch 2 (2) Done
  10:20:11   event BatchPassed: Batch 2 was observed and is well.
  10:20:11   event RolledOut: runc-2 is on all 3 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 3 machines.
  runc-2: n1, n2, n3
