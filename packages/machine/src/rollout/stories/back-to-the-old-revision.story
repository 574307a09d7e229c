# A person goes back by naming the old revision: the one machine that was moved goes back, from batch 1, and nothing else is touched.
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 3; maxUnavailable 3; observation 10m
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Observing until 2026-03-01T10:10:08Z: observed until 2026-03-01T10:10:08Z; then the next batch begins
  10:00:08   event BatchInspected: Batch 1 is Ready; observed until 2026-03-01T10:10:08Z.
when set runc: revision runc-1
  10:00:10 n1: to runc-1, batch 1
  10:00:10 runc: batch 1 (1) Updating until 2026-03-01T10:30:10Z: waits for n1
  10:00:10   event BatchStarted: Batch 1 of runc-1: 1 at most.
  10:00:11 runc: batch 1 (1) Observing until 2026-03-01T10:10:11Z: observed until 2026-03-01T10:10:11Z; then the rollout is done
  10:00:11   event BatchInspected: Batch 1 is Ready; observed until 2026-03-01T10:10:11Z.
when 1h passes
  10:10:11 runc: batch 1 (1) Done
  10:10:11   event BatchPassed: Batch 1 was observed and is well.
  10:10:11   event RolledOut: runc-1 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-1 is on all 4 machines.
  runc-1: n1, n2, n3, n4
