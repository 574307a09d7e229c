# A value that a template uses comes from a label: to change it is a move like any other, batch by batch.
given 5 machines with disk=sda
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; variables disk=disk; batches 1 2; maxUnavailable 2; observation 1m
given all is Ready
when n1 has labels disk=nvme
  10:00:08 n1: to runc-1 with disk=nvme, batch 1
  10:00:08 runc: batch 1 (1) Updating until 2026-03-01T10:30:08Z: waits for n1
  10:00:08   event BatchStarted: Batch 1 of runc-1: 1 at most.
  10:00:09 runc: batch 1 (1) Observing until 2026-03-01T10:01:09Z: observed until 2026-03-01T10:01:09Z; then the rollout is done
  10:00:09   event BatchInspected: Batch 1 is Ready; observed until 2026-03-01T10:01:09Z.
when n2 has labels disk=nvme
  10:00:11 runc: batch 1 (1) Observing until 2026-03-01T10:01:09Z: observed until 2026-03-01T10:01:09Z; then the next batch begins
when 10m pass
  10:01:09 n2: to runc-1 with disk=nvme, batch 2
  10:01:09 runc: batch 2 (2) Updating until 2026-03-01T10:31:09Z: waits for n2
  10:01:09   event BatchPassed: Batch 1 was observed and is well.
  10:01:09   event BatchStarted: Batch 2 of runc-1: 2 at most.
  10:01:10 runc: batch 2 (2) Observing until 2026-03-01T10:02:10Z: observed until 2026-03-01T10:02:10Z; then the rollout is done
  10:01:10   event BatchInspected: Batch 2 is Ready; observed until 2026-03-01T10:02:10Z.
  10:02:10 runc: batch 2 (2) Done
  10:02:10   event BatchPassed: Batch 2 was observed and is well.
  10:02:10   event RolledOut: runc-1 is on all 5 machines.
when n1 has labels none
end
  runc: Ready True RolledOut: runc-1 is on all 5 machines.
  runc-1: n1, n2, n3, n4, n5
