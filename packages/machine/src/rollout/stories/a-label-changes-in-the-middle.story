# A machine moves over to another pool while a rollout is under way: it is no longer counted, and keeps what it has.
given 4 machines with pool=web
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; selector pool=web; batches 1; maxUnavailable 1; observation 5m
given all is Ready
when set runc: revision runc-2
  10:00:09 n1: to runc-2, batch 1
  10:00:09 runc: batch 1 (1) Updating until 2026-03-01T10:30:09Z: waits for n1
  10:00:09   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:10 runc: batch 1 (1) Observing until 2026-03-01T10:05:10Z: observed until 2026-03-01T10:05:10Z; then the next batch begins
  10:00:10   event BatchInspected: Batch 1 is Ready; observed until 2026-03-01T10:05:10Z.
when n1 has labels pool=db
  10:00:12 n3: to runc-2, batch 1
  10:00:12 runc: batch 1 (1) Updating until 2026-03-01T10:30:12Z: waits for n3
  10:00:13 runc: batch 1 (1) Observing until 2026-03-01T10:05:13Z: observed until 2026-03-01T10:05:13Z; then the next batch begins
  10:00:13   event BatchInspected: Batch 1 is Ready; observed until 2026-03-01T10:05:13Z.
when n2 has labels pool=db
when 1h passes
  10:05:13 n4: to runc-2, batch 2
  10:05:13 runc: batch 2 (1) Updating until 2026-03-01T10:35:13Z: waits for n4
  10:05:13   event BatchPassed: Batch 1 was observed and is well.
  10:05:13   event BatchStarted: Batch 2 of runc-2: 1 at most.
  10:05:14 runc: batch 2 (1) Observing until 2026-03-01T10:10:14Z: observed until 2026-03-01T10:10:14Z; then the rollout is done
  10:05:14   event BatchInspected: Batch 2 is Ready; observed until 2026-03-01T10:10:14Z.
  10:10:14 runc: batch 2 (1) Done
  10:10:14   event BatchPassed: Batch 2 was observed and is well.
  10:10:14   event RolledOut: runc-2 is on all 2 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 2 machines.
  runc-1: n2
  runc-2: n1, n3, n4
