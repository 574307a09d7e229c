# Good at first, bad after ten minutes.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections errors=Prometheus; observation 10m
given all is Ready
given inspection errors finds Passed: 0.001 is not above 0.01
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Observing until 2026-03-01T10:10:08Z: observed until 2026-03-01T10:10:08Z, and inspected once more; then the next batch begins
  10:00:08   event BatchInspected: Batch 1 is Ready: errors (0.001 is not above 0.01); observed until 2026-03-01T10:10:08Z.
when inspection errors finds Failed: 0.5 is above 0.01
when 10m pass
  10:10:08 runc: batch 1 (1) Paused: ObservationFailed in batch 1: inspection errors failed: 0.5 is above 0.01. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:10:08   event WARNING ObservationFailed: Batch 1: inspection errors failed: 0.5 is above 0.01.
end
  runc: Ready False ObservationFailed: 1 of 3 machines run runc-2. ObservationFailed in batch 1: inspection errors failed: 0.5 is above 0.01. It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n2, n3
  runc-2: n1
