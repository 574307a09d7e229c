# In Berlin clocks go from 02:00 to 03:00 on 2026-03-29: the window from 02:30 opens at the end of the gap, 01:00 UTC.
given it is 2026-03-28T12:00:00Z
given 2 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; observation 10m; windows Sun 02:30-05:00 Europe/Berlin
given all is Ready
when set runc: revision runc-2
  12:00:07 runc: no batch yet Waiting until 2026-03-29T01:00:00Z: outside its windows; the next batch begins at 2026-03-29T01:00:00Z
  12:00:07   event Waiting: 0 of 2 machines run runc-2. No batch has begun: outside its windows; the next batch begins at 2026-03-29T01:00:00Z.
when 24h pass
  01:00:00 n1: to runc-2, batch 1
  01:00:00 runc: batch 1 (1) Updating until 2026-03-29T01:30:00Z: waits for n1
  01:00:00   event BatchStarted: Batch 1 of runc-2: 1 at most.
  01:00:01 runc: batch 1 (1) Observing until 2026-03-29T01:10:01Z: observed until 2026-03-29T01:10:01Z; then the next batch begins
  01:00:01   event BatchInspected: Batch 1 is Ready; observed until 2026-03-29T01:10:01Z.
  01:10:01 n2: to runc-2, batch 2
  01:10:01 runc: batch 2 (1) Updating until 2026-03-29T01:40:01Z: waits for n2
  01:10:01   event BatchPassed: Batch 1 was observed and is well.
  01:10:01   event BatchStarted: Batch 2 of runc-2: 1 at most.
  01:10:02 runc: batch 2 (1) Observing until 2026-03-29T01:20:02Z: observed until 2026-03-29T01:20:02Z; then the rollout is done
  01:10:02   event BatchInspected: Batch 2 is Ready; observed until 2026-03-29T01:20:02Z.
  01:20:02 runc: batch 2 (1) Done
  01:20:02   event BatchPassed: Batch 2 was observed and is well.
  01:20:02   event RolledOut: runc-2 is on all 2 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 2 machines.
  runc-2: n1, n2
