# onFailure Rollback. A later batch fails its inspection: all machines of the rollout go back, as maxUnavailable allows, and a person finds it paused. The failed revision is not tried again until somebody says so.
given 7 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 3; maxUnavailable 2; inspections errors=Prometheus; onFailure Rollback
given all is Ready
given inspection errors finds Passed: 0.001 is not above 0.01
when n7 reads nothing
when set runc: revision runc-2
  10:00:09 n1: to runc-2, batch 1
  10:00:09 runc: batch 1 (1) Updating until 2026-03-01T10:30:09Z: waits for n1
  10:00:09   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:10 n2, n3: to runc-2, batch 2
  10:00:10 runc: batch 2 (3) Updating until 2026-03-01T10:30:10Z: waits for n3, n2
  10:00:10   event BatchStarted: Batch 2 of runc-2: 3 at most.
  10:00:11 n5: to runc-2, batch 2
  10:00:12 n4, n7: to runc-2, batch 3
  10:00:12 runc: batch 3 (3) Updating until 2026-03-01T10:30:12Z: waits for n4, n7
  10:00:12   event BatchStarted: Batch 3 of runc-2: 3 at most.
  10:00:13 n6: to runc-2, batch 3
when inspection errors finds Failed: 0.5 is above 0.01
when n7 is back
  10:00:17 n1, n3: to runc-1
  10:00:17 runc: batch 3 (3) RollingBack: back to runc-1: waits for n1, n3; 5 machines more to go back. InspectionFailed in batch 3: inspection errors failed: 0.5 is above 0.01
  10:00:17   event WARNING InspectionFailed: Batch 3: inspection errors failed: 0.5 is above 0.01.
  10:00:17   event WARNING RollingBack: back to runc-1: waits for n1, n3; 5 machines more to go back. InspectionFailed in batch 3: inspection errors failed: 0.5 is above 0.01.
  10:00:18 n2, n5: to runc-1
  10:00:18 runc: batch 3 (3) RollingBack: back to runc-1: waits for n2, n5; 3 machines more to go back. InspectionFailed in batch 3: inspection errors failed: 0.5 is above 0.01
  10:00:19 n4, n6: to runc-1
  10:00:19 runc: batch 3 (3) RollingBack: back to runc-1: waits for n4, n6; 1 machine more to go back. InspectionFailed in batch 3: inspection errors failed: 0.5 is above 0.01
  10:00:20 n7: to runc-1
  10:00:20 runc: batch 3 (3) RollingBack: back to runc-1: waits for n7. InspectionFailed in batch 3: inspection errors failed: 0.5 is above 0.01
  10:00:21 runc: batch 3 (3) Paused: InspectionFailed in batch 3: inspection errors failed: 0.5 is above 0.01. Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:21   event RolledBack: InspectionFailed in batch 3: inspection errors failed: 0.5 is above 0.01. Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision.
when 10h pass
when inspection errors finds Passed: 0.001 is not above 0.01
when set runc: retryToken try-again
  20:00:26 n1: to runc-2, batch 1
  20:00:26 runc: batch 1 (1) Updating until 2026-03-01T20:30:26Z: waits for n1
  20:00:26   event Resumed: No longer stopped by InspectionFailed: retryToken was changed.
  20:00:26   event BatchStarted: Batch 1 of runc-2: 1 at most.
  20:00:27 n2, n3: to runc-2, batch 2
  20:00:27 runc: batch 2 (3) Updating until 2026-03-01T20:30:27Z: waits for n3, n2
  20:00:27   event BatchStarted: Batch 2 of runc-2: 3 at most.
  20:00:28 n5: to runc-2, batch 2
  20:00:29 n4, n7: to runc-2, batch 3
  20:00:29 runc: batch 3 (3) Updating until 2026-03-01T20:30:29Z: waits for n4, n7
  20:00:29   event BatchStarted: Batch 3 of runc-2: 3 at most.
  20:00:30 n6: to runc-2, batch 3
  20:00:31 runc: batch 3 (3) Done
  20:00:31   event RolledOut: runc-2 is on all 7 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 7 machines.
  runc-2: n1, n2, n3, n4, n5, n6, n7
