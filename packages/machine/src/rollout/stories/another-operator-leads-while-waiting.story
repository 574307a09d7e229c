# The next leader goes on where the last one ended: no batch twice, none skipped.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections errors=Prometheus; observation 10m
given all is Ready
given inspection errors finds Passed: fine
when set runc: revision runc-2; windows 22:00-23:00
  10:00:07 runc: no batch yet Waiting until 2026-03-01T22:00:00Z: outside its windows; the next batch begins at 2026-03-01T22:00:00Z
  10:00:07   event Waiting: 0 of 3 machines run runc-2. No batch has begun: outside its windows; the next batch begins at 2026-03-01T22:00:00Z.
when another operator leads
when 12h pass
  22:00:00 n1: to runc-2, batch 1
  22:00:00 runc: batch 1 (1) Updating until 2026-03-01T22:30:00Z: waits for n1
  22:00:00   event BatchStarted: Batch 1 of runc-2: 1 at most.
  22:00:01 runc: batch 1 (1) Observing until 2026-03-01T22:10:01Z: observed until 2026-03-01T22:10:01Z, and inspected once more; then the next batch begins
  22:00:01   event BatchInspected: Batch 1 is Ready: errors (fine); observed until 2026-03-01T22:10:01Z.
end
  runc: Ready False Observing: 1 of 3 machines run runc-2. Batch 1: observed until 2026-03-01T22:10:01Z, and inspected once more; then the next batch begins.
  runc-1: n2, n3
  runc-2: n1
