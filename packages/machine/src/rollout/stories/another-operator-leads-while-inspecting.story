# The next leader goes on where the last one ended: no batch twice, none skipped.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections errors=Prometheus; observation 10m
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Inspecting until 2026-03-01T10:05:08Z: inspection errors has to pass; otherwise the rollout stops at 2026-03-01T10:05:08Z
when another operator leads
when inspection errors finds Passed: fine
  10:00:11 runc: batch 1 (1) Observing until 2026-03-01T10:10:11Z: observed until 2026-03-01T10:10:11Z, and inspected once more; then the next batch begins
  10:00:11   event BatchInspected: Batch 1 is Ready: errors (fine); observed until 2026-03-01T10:10:11Z.
end
  runc: Ready False Observing: 1 of 3 machines run runc-2. Batch 1: observed until 2026-03-01T10:10:11Z, and inspected once more; then the next batch begins.
  runc-1: n2, n3
  runc-2: n1
