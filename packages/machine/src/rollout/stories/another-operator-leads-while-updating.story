# The next leader goes on where the last one ended: no batch twice, none skipped.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections errors=Prometheus; observation 10m
given all is Ready
when all reads nothing
when set runc: revision runc-2
  10:00:08 n1: to runc-2, batch 1
  10:00:08 runc: batch 1 (1) Updating until 2026-03-01T10:30:08Z: waits for n1
  10:00:08   event BatchStarted: Batch 1 of runc-2: 1 at most.
when another operator leads
when all is back
  10:00:12 runc: batch 1 (1) Inspecting until 2026-03-01T10:05:12Z: inspection errors has to pass; otherwise the rollout stops at 2026-03-01T10:05:12Z
end
  runc: Ready False Inspecting: 1 of 3 machines run runc-2. Batch 1: inspection errors has to pass; otherwise the rollout stops at 2026-03-01T10:05:12Z.
  runc-1: n2, n3
  runc-2: n1
