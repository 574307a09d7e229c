# The number is too high: stopped at once, with the number.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections errors=Prometheus
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Inspecting until 2026-03-01T10:05:08Z: inspection errors has to pass; otherwise the rollout stops at 2026-03-01T10:05:08Z
when inspection errors finds Failed: 0.5 is above 0.01
  10:00:10 runc: batch 1 (1) Paused: InspectionFailed in batch 1: inspection errors failed: 0.5 is above 0.01. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:10   event WARNING InspectionFailed: Batch 1: inspection errors failed: 0.5 is above 0.01.
when 10h pass
when inspection errors finds Passed: 0.001 is not above 0.01
when set runc: retryToken look-again
  20:00:15 n2, n3: to runc-2, batch 2
  20:00:15 runc: batch 2 (2) Updating until 2026-03-01T20:30:15Z: waits for n3, n2
  20:00:15   event Resumed: No longer stopped by InspectionFailed: retryToken was changed.
  20:00:15   event BatchStarted: Batch 2 of runc-2: 2 at most.
  20:00:16 runc: batch 2 (2) Done
  20:00:16   event RolledOut: runc-2 is on all 3 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 3 machines.
  runc-2: n1, n2, n3
