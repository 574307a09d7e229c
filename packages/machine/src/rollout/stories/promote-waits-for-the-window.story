# A promotion skips the looking, and not what people have said of when: the next batch still waits for its window.
given it is 2026-03-02T10:00:00Z
given 4 machines
given revisions runc-1, runc-2
given set runc: revision runc-1; batches 1 3; maxUnavailable 3; observation 8h; windows 10:00-16:00
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-02T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Observing until 2026-03-02T18:00:08Z: observed until 2026-03-02T18:00:08Z; then the next batch begins
  10:00:08   event BatchInspected: Batch 1 is Ready; observed until 2026-03-02T18:00:08Z.
when 7h pass
when set runc: promote runc-2
  17:00:12 runc: batch 1 (1) Waiting until 2026-03-03T10:00:00Z: outside its windows; the next batch begins at 2026-03-03T10:00:00Z
  17:00:12   event Promoted: runc-2 was promoted; skipped: the observation of batch 1, under way since 2026-03-02T10:00:08.000Z, and those of all batches after it.
  17:00:12   event Waiting: 1 of 4 machines run runc-2. Batch 1: outside its windows; the next batch begins at 2026-03-03T10:00:00Z.
when 18h pass
  10:00:00 n2, n3, n4: to runc-2, batch 2
  10:00:00 runc: batch 2 (3) Updating until 2026-03-03T10:30:00Z: waits for n3, n2, n4
  10:00:00   event BatchStarted: Batch 2 of runc-2: 3 at most.
  10:00:01 runc: batch 2 (3) Done
  10:00:01   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
