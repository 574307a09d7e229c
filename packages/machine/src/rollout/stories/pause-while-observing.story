# The observation goes on while paused, so that nothing is observed twice.
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
when set runc: paused true
  10:00:10   event Paused: spec.paused is true: no machine is moved.
when 20m pass
  10:10:08 runc: batch 1 (1) Paused: paused with 2 machines still to be moved: set spec.paused to false to go on
  10:10:08   event BatchPassed: Batch 1 was observed and is well.
when set runc: paused false
  10:20:14 n2, n3: to runc-2, batch 2
  10:20:14 runc: batch 2 (2) Updating until 2026-03-01T10:50:14Z: waits for n3, n2
  10:20:14   event Resumed: spec.paused is false.
  10:20:14   event BatchStarted: Batch 2 of runc-2: 2 at most.
  10:20:15 runc: batch 2 (2) Observing until 2026-03-01T10:30:15Z: observed until 2026-03-01T10:30:15Z; then the rollout is done
  10:20:15   event BatchInspected: Batch 2 is Ready; observed until 2026-03-01T10:30:15Z.
when 20m pass
  10:30:15 runc: batch 2 (2) Done
  10:30:15   event BatchPassed: Batch 2 was observed and is well.
  10:30:15   event RolledOut: runc-2 is on all 3 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 3 machines.
  runc-2: n1, n2, n3
