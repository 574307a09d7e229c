# After a failure another revision is all that it takes.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; inspections errors=Prometheus
given all is Ready
given inspection errors finds Failed: 0.5 is above 0.01
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Paused: InspectionFailed in batch 1: inspection errors failed: 0.5 is above 0.01. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:08   event WARNING InspectionFailed: Batch 1: inspection errors failed: 0.5 is above 0.01.
when inspection errors finds Passed: 0.001
when set runc: revision runc-3
  10:00:11 n1: to runc-3, batch 1
  10:00:11 runc: batch 1 (1) Updating until 2026-03-01T10:30:11Z: waits for n1
  10:00:11   event Resumed: No longer stopped by InspectionFailed: another revision was given, runc-3.
  10:00:11   event BatchStarted: Batch 1 of runc-3: 1 at most.
  10:00:12 n2, n3: to runc-3, batch 2
  10:00:12 runc: batch 2 (2) Updating until 2026-03-01T10:30:12Z: waits for n3, n2
  10:00:12   event BatchStarted: Batch 2 of runc-3: 2 at most.
  10:00:13 runc: batch 2 (2) Done
  10:00:13   event RolledOut: runc-3 is on all 3 machines.
end
  runc: Ready True RolledOut: runc-3 is on all 3 machines.
  runc-3: n1, n2, n3
