# The day of the CVE: what is left of the observation is skipped, maxUnavailable holds, and it is recorded.
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; observation 24h; inspections errors=Prometheus
given all is Ready
given inspection errors finds Passed: fine
when set runc: revision runc-2
  10:00:09 n1: to runc-2, batch 1
  10:00:09 runc: batch 1 (1) Updating until 2026-03-01T10:30:09Z: waits for n1
  10:00:09   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:10 runc: batch 1 (1) Observing until 2026-03-02T10:00:10Z: observed until 2026-03-02T10:00:10Z, and inspected once more; then the next batch begins
  10:00:10   event BatchInspected: Batch 1 is Ready: errors (fine); observed until 2026-03-02T10:00:10Z.
when 1h passes
when set runc: promote runc-2
  11:00:14 n3: to runc-2, batch 2
  11:00:14 runc: batch 2 (1) Updating until 2026-03-01T11:30:14Z: waits for n3
  11:00:14   event Promoted: runc-2 was promoted; skipped: the observation of batch 1, under way since 2026-03-01T10:00:10.000Z, and those of all batches after it.
  11:00:14   event BatchStarted: Batch 2 of runc-2: 1 at most.
  11:00:15 n2: to runc-2, batch 3
  11:00:15 runc: batch 3 (1) Updating until 2026-03-01T11:30:15Z: waits for n2
  11:00:15   event BatchStarted: Batch 3 of runc-2: 1 at most.
  11:00:16 n4: to runc-2, batch 4
  11:00:16 runc: batch 4 (1) Updating until 2026-03-01T11:30:16Z: waits for n4
  11:00:16   event BatchStarted: Batch 4 of runc-2: 1 at most.
  11:00:17 runc: batch 4 (1) Done
  11:00:17   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
