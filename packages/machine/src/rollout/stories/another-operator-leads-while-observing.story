# The next leader goes on where the last one ended: no batch twice, none skipped.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections errors=Prometheus; observation 10m
given all is Ready
given inspection errors finds Passed: fine
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Observing until 2026-03-01T10:10:08Z: observed until 2026-03-01T10:10:08Z, and inspected once more; then the next batch begins
  10:00:08   event BatchInspected: Batch 1 is Ready: errors (fine); observed until 2026-03-01T10:10:08Z.
when 6m pass
when another operator leads
when 5m pass
  10:10:08 n2, n3: to runc-2, batch 2
  10:10:08 runc: batch 2 (2) Updating until 2026-03-01T10:40:08Z: waits for n3, n2
  10:10:08   event BatchPassed: Batch 1 was observed and is well.
  10:10:08   event BatchStarted: Batch 2 of runc-2: 2 at most.
  10:10:09 runc: batch 2 (2) Observing until 2026-03-01T10:20:09Z: observed until 2026-03-01T10:20:09Z, and inspected once more; then the rollout is done
  10:10:09   event BatchInspected: Batch 2 is Ready: errors (fine); observed until 2026-03-01T10:20:09Z.
end
  runc: Ready False Observing: 3 of 3 machines run runc-2. Batch 2: observed until 2026-03-01T10:20:09Z, and inspected once more; then the rollout is done.
  runc-2: n1, n2, n3
