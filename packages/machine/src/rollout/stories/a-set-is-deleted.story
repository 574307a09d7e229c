# Absence means hold: machines keep what they run.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1
given all is Ready
when set runc: revision runc-2; observation 1h
  10:00:08 n1: to runc-2, batch 1
  10:00:08 runc: batch 1 (1) Updating until 2026-03-01T10:30:08Z: waits for n1
  10:00:08   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:09 runc: batch 1 (1) Observing until 2026-03-01T11:00:09Z: observed until 2026-03-01T11:00:09Z; then the next batch begins
  10:00:09   event BatchInspected: Batch 1 is Ready; observed until 2026-03-01T11:00:09Z.
when set runc is deleted
when 2h pass
end
  runc-1: n2, n3
  runc-2: n1
