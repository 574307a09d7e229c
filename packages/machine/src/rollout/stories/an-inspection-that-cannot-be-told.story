# Prometheus is down: asked until the deadline, then paused, for nobody knows.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections errors=Prometheus/5m, smoke=Web/10m
given all is Ready
given inspection smoke finds Passed: 204 from http://smoke
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Inspecting until 2026-03-01T10:05:08Z: inspection errors has to pass; otherwise the rollout stops at 2026-03-01T10:05:08Z
when inspection errors finds Inconclusive: connection refused
  10:00:10 runc: batch 1 (1) Inspecting until 2026-03-01T10:05:08Z: inspection errors has to pass: connection refused; otherwise the rollout stops at 2026-03-01T10:05:08Z
when 6m pass
  10:05:08 runc: batch 1 (1) Paused: InspectionInconclusive in batch 1: inspection errors could not be told to pass or to fail until its deadline: connection refused. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:05:08   event WARNING InspectionInconclusive: Batch 1: inspection errors could not be told to pass or to fail until its deadline: connection refused.
end
  runc: Ready False InspectionInconclusive: 1 of 3 machines run runc-2. InspectionInconclusive in batch 1: inspection errors could not be told to pass or to fail until its deadline: connection refused. It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n2, n3
  runc-2: n1
