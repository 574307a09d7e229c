# The observation begins anew by the new time, however far the clock is put back; it is never cut short and never lasts for hours.
given 2 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; observation 10m
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Observing until 2026-03-01T10:10:08Z: observed until 2026-03-01T10:10:08Z; then the next batch begins
  10:00:08   event BatchInspected: Batch 1 is Ready; observed until 2026-03-01T10:10:08Z.
when 5m pass
when the clock is put back by 5h
  05:05:12 runc: batch 1 (1) Observing until 2026-03-01T05:15:12Z: observed until 2026-03-01T05:15:12Z; then the next batch begins
when 10m pass
  05:15:12 n2: to runc-2, batch 2
  05:15:12 runc: batch 2 (1) Updating until 2026-03-01T05:45:12Z: waits for n2
  05:15:12   event BatchPassed: Batch 1 was observed and is well.
  05:15:12   event BatchStarted: Batch 2 of runc-2: 1 at most.
  05:15:13 runc: batch 2 (1) Observing until 2026-03-01T05:25:13Z: observed until 2026-03-01T05:25:13Z; then the rollout is done
  05:15:13   event BatchInspected: Batch 2 is Ready; observed until 2026-03-01T05:25:13Z.
when 20m pass
  05:25:13 runc: batch 2 (1) Done
  05:25:13   event BatchPassed: Batch 2 was observed and is well.
  05:25:13   event RolledOut: runc-2 is on all 2 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 2 machines.
  runc-2: n1, n2
