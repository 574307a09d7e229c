# The observation of the revision before ends with it.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; observation 10m
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Observing until 2026-03-01T10:10:08Z: observed until 2026-03-01T10:10:08Z; then the next batch begins
  10:00:08   event BatchInspected: Batch 1 is Ready; observed until 2026-03-01T10:10:08Z.
when 5m pass
when set runc: revision runc-3
  10:05:12 n1: to runc-3, batch 1
  10:05:12 runc: batch 1 (1) Updating until 2026-03-01T10:35:12Z: waits for n1
  10:05:12   event BatchStarted: Batch 1 of runc-3: 1 at most.
  10:05:13 runc: batch 1 (1) Observing until 2026-03-01T10:15:13Z: observed until 2026-03-01T10:15:13Z; then the next batch begins
  10:05:13   event BatchInspected: Batch 1 is Ready; observed until 2026-03-01T10:15:13Z.
when 6m pass
when 1h passes
  10:15:13 n2, n3: to runc-3, batch 2
  10:15:13 runc: batch 2 (2) Updating until 2026-03-01T10:45:13Z: waits for n3, n2
  10:15:13   event BatchPassed: Batch 1 was observed and is well.
  10:15:13   event BatchStarted: Batch 2 of runc-3: 2 at most.
  10:15:14 runc: batch 2 (2) Observing until 2026-03-01T10:25:14Z: observed until 2026-03-01T10:25:14Z; then the rollout is done
  10:15:14   event BatchInspected: Batch 2 is Ready; observed until 2026-03-01T10:25:14Z.
  10:25:14 runc: batch 2 (2) Done
  10:25:14   event BatchPassed: Batch 2 was observed and is well.
  10:25:14   event RolledOut: runc-3 is on all 3 machines.
end
  runc: Ready True RolledOut: runc-3 is on all 3 machines.
  runc-3: n1, n2, n3
