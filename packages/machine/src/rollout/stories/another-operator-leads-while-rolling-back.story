# The next leader goes on where the last one ended: part of the batch is back, the rest goes back as maxUnavailable allows.
given 6 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 4; maxUnavailable 4; inspections errors=Prometheus; onFailure Rollback
given all is Ready
when set runc: revision runc-2
  10:00:07 n1, n2, n3, n5: to runc-2, batch 1
  10:00:07 runc: batch 1 (4) Updating until 2026-03-01T10:30:07Z: waits for n1, n3, n2 and 1 more
  10:00:07   event BatchStarted: Batch 1 of runc-2: 4 at most.
  10:00:08 runc: batch 1 (4) Inspecting until 2026-03-01T10:05:08Z: inspection errors has to pass; otherwise the rollout stops at 2026-03-01T10:05:08Z
when set runc: maxUnavailable 2
when all reads nothing
when inspection errors finds Failed: 0.5 is above 0.01
  10:00:13 n1, n3: to runc-1
  10:00:13 runc: batch 1 (4) RollingBack: back to runc-1: waits for n1, n3; 2 machines more to go back. InspectionFailed in batch 1: inspection errors failed: 0.5 is above 0.01
  10:00:13   event WARNING InspectionFailed: Batch 1: inspection errors failed: 0.5 is above 0.01.
  10:00:13   event WARNING RollingBack: back to runc-1: waits for n1, n3; 2 machines more to go back. InspectionFailed in batch 1: inspection errors failed: 0.5 is above 0.01.
  10:00:14 runc: batch 1 (4) RollingBack: back to runc-1: waits for n1 (told, not begun yet), n3 (told, not begun yet); 2 machines more to go back. InspectionFailed in batch 1: inspection errors failed: 0.5 is above 0.01
when another operator leads
when all is back
  10:00:17 n2, n5: to runc-1
  10:00:17 runc: batch 1 (4) RollingBack: back to runc-1: waits for n2, n5. InspectionFailed in batch 1: inspection errors failed: 0.5 is above 0.01
  10:00:18 runc: batch 1 (4) Paused: InspectionFailed in batch 1: inspection errors failed: 0.5 is above 0.01. Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:18   event RolledBack: InspectionFailed in batch 1: inspection errors failed: 0.5 is above 0.01. Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision.
end
  runc: Ready False InspectionFailed: 0 of 6 machines run runc-2. InspectionFailed in batch 1: inspection errors failed: 0.5 is above 0.01. Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n1, n2, n3, n4, n5, n6
