# Batches begin between 22:00 and 04:00 only; one that has begun goes on. The observation of the second ends after the window.
given it is 2026-03-02T20:00:00Z
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; observation 3h; windows 22:00-04:00
given all is Ready
when set runc: revision runc-2
  20:00:09 runc: no batch yet Waiting until 2026-03-02T22:00:00Z: outside its windows; the next batch begins at 2026-03-02T22:00:00Z
  20:00:09   event Waiting: 0 of 4 machines run runc-2. No batch has begun: outside its windows; the next batch begins at 2026-03-02T22:00:00Z.
when 2h pass
  22:00:00 n1: to runc-2, batch 1
  22:00:00 runc: batch 1 (1) Updating until 2026-03-02T22:30:00Z: waits for n1
  22:00:00   event BatchStarted: Batch 1 of runc-2: 1 at most.
  22:00:01 runc: batch 1 (1) Observing until 2026-03-03T01:00:01Z: observed until 2026-03-03T01:00:01Z; then the next batch begins
  22:00:01   event BatchInspected: Batch 1 is Ready; observed until 2026-03-03T01:00:01Z.
when 24h pass
  01:00:01 n3: to runc-2, batch 2
  01:00:01 runc: batch 2 (1) Updating until 2026-03-03T01:30:01Z: waits for n3
  01:00:01   event BatchPassed: Batch 1 was observed and is well.
  01:00:01   event BatchStarted: Batch 2 of runc-2: 1 at most.
  01:00:02 runc: batch 2 (1) Observing until 2026-03-03T04:00:02Z: observed until 2026-03-03T04:00:02Z; then the next batch begins
  01:00:02   event BatchInspected: Batch 2 is Ready; observed until 2026-03-03T04:00:02Z.
  04:00:02 runc: batch 2 (1) Waiting until 2026-03-03T22:00:00Z: outside its windows; the next batch begins at 2026-03-03T22:00:00Z
  04:00:02   event BatchPassed: Batch 2 was observed and is well.
  04:00:02   event Waiting: 2 of 4 machines run runc-2. Batch 2: outside its windows; the next batch begins at 2026-03-03T22:00:00Z.
  22:00:00 n2: to runc-2, batch 3
  22:00:00 runc: batch 3 (1) Updating until 2026-03-03T22:30:00Z: waits for n2
  22:00:00   event BatchStarted: Batch 3 of runc-2: 1 at most.
  22:00:01 runc: batch 3 (1) Observing until 2026-03-04T01:00:01Z: observed until 2026-03-04T01:00:01Z; then the next batch begins
  22:00:01   event BatchInspected: Batch 3 is Ready; observed until 2026-03-04T01:00:01Z.
when 24h pass
  01:00:01 n4: to runc-2, batch 4
  01:00:01 runc: batch 4 (1) Updating until 2026-03-04T01:30:01Z: waits for n4
  01:00:01   event BatchPassed: Batch 3 was observed and is well.
  01:00:01   event BatchStarted: Batch 4 of runc-2: 1 at most.
  01:00:02 runc: batch 4 (1) Observing until 2026-03-04T04:00:02Z: observed until 2026-03-04T04:00:02Z; then the rollout is done
  01:00:02   event BatchInspected: Batch 4 is Ready; observed until 2026-03-04T04:00:02Z.
  04:00:02 runc: batch 4 (1) Done
  04:00:02   event BatchPassed: Batch 4 was observed and is well.
  04:00:02   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
