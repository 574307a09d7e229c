# It gets what was completed last, so that it works; its turn comes with the others.
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; observation 10m
given all is Ready
when set runc: revision runc-2
  10:00:09 n1: to runc-2, batch 1
  10:00:09 runc: batch 1 (1) Updating until 2026-03-01T10:30:09Z: waits for n1
  10:00:09   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:10 runc: batch 1 (1) Observing until 2026-03-01T10:10:10Z: observed until 2026-03-01T10:10:10Z; then the next batch begins
  10:00:10   event BatchInspected: Batch 1 is Ready; observed until 2026-03-01T10:10:10Z.
when machine new
  10:00:12 new: gets runc-1, joining
when 10m pass
  10:10:10 n3: to runc-2, batch 2
  10:10:10 runc: batch 2 (1) Updating until 2026-03-01T10:40:10Z: waits for n3
  10:10:10   event BatchPassed: Batch 1 was observed and is well.
  10:10:10   event BatchStarted: Batch 2 of runc-2: 1 at most.
  10:10:11 runc: batch 2 (1) Observing until 2026-03-01T10:20:11Z: observed until 2026-03-01T10:20:11Z; then the next batch begins
  10:10:11   event BatchInspected: Batch 2 is Ready; observed until 2026-03-01T10:20:11Z.
when 1h passes
  10:20:11 n2: to runc-2, batch 3
  10:20:11 runc: batch 3 (1) Updating until 2026-03-01T10:50:11Z: waits for n2
  10:20:11   event BatchPassed: Batch 2 was observed and is well.
  10:20:11   event BatchStarted: Batch 3 of runc-2: 1 at most.
  10:20:12 runc: batch 3 (1) Observing until 2026-03-01T10:30:12Z: observed until 2026-03-01T10:30:12Z; then the next batch begins
  10:20:12   event BatchInspected: Batch 3 is Ready; observed until 2026-03-01T10:30:12Z.
  10:30:12 n4: to runc-2, batch 4
  10:30:12 runc: batch 4 (1) Updating until 2026-03-01T11:00:12Z: waits for n4
  10:30:12   event BatchPassed: Batch 3 was observed and is well.
  10:30:12   event BatchStarted: Batch 4 of runc-2: 1 at most.
  10:30:13 runc: batch 4 (1) Observing until 2026-03-01T10:40:13Z: observed until 2026-03-01T10:40:13Z; then the next batch begins
  10:30:13   event BatchInspected: Batch 4 is Ready; observed until 2026-03-01T10:40:13Z.
  10:40:13 new: to runc-2, batch 5
  10:40:13 runc: batch 5 (1) Updating until 2026-03-01T11:10:13Z: waits for new
  10:40:13   event BatchPassed: Batch 4 was observed and is well.
  10:40:13   event BatchStarted: Batch 5 of runc-2: 1 at most.
  10:40:14 runc: batch 5 (1) Observing until 2026-03-01T10:50:14Z: observed until 2026-03-01T10:50:14Z; then the rollout is done
  10:40:14   event BatchInspected: Batch 5 is Ready; observed until 2026-03-01T10:50:14Z.
  10:50:14 runc: batch 5 (1) Done
  10:50:14   event BatchPassed: Batch 5 was observed and is well.
  10:50:14   event RolledOut: runc-2 is on all 5 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 5 machines.
  runc-2: n1, n2, n3, n4, new
