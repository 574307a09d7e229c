# Healthy for a while, then not: a revision that leaks.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections baseline=BuiltIn; observation 10m; onFailure Rollback
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Observing until 2026-03-01T10:10:08Z: observed until 2026-03-01T10:10:08Z, and inspected once more; then the next batch begins
  10:00:08   event BatchInspected: Batch 1 is Ready: baseline (components and Nodes are Ready, nothing new is wrong); observed until 2026-03-01T10:10:08Z.
when 4m pass
when n1, n2, n3 does not work any more
  10:04:12 n1: to runc-1
  10:04:12 runc: batch 1 (1) RollingBack: back to runc-1: waits for n1. ObservationFailed in batch 1: inspection baseline failed: n1: runc: Degraded: probe socket: refused
  10:04:12   event WARNING ObservationFailed: Batch 1: inspection baseline failed: n1: runc: Degraded: probe socket: refused.
  10:04:12   event WARNING RollingBack: back to runc-1: waits for n1. ObservationFailed in batch 1: inspection baseline failed: n1: runc: Degraded: probe socket: refused.
  10:04:13 runc: batch 1 (1) Paused: ObservationFailed in batch 1: inspection baseline failed: n1: runc: Degraded: probe socket: refused. Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:04:13   event RolledBack: ObservationFailed in batch 1: inspection baseline failed: n1: runc: Degraded: probe socket: refused. Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision.
when all works again
end
  runc: Ready False ObservationFailed: 0 of 3 machines run runc-2. ObservationFailed in batch 1: inspection baseline failed: n1: runc: Degraded: probe socket: refused. Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n1, n2, n3
