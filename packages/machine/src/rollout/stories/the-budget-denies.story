# Every limit of the disruption budget holds as maxUnavailable does; it says which and until when.
given 4 machines
given revisions runc-1, runc-2 that restart
given set runc: revision runc-1; batches 4; maxUnavailable 4
given all is Ready
given it is 2026-03-02T10:00:00Z
when the budget denies all until 2026-03-02T10:30:00Z: starts.perHour: 600 of 600 have begun in the last hour
when set runc: revision runc-2
  10:00:02 runc: no batch yet Waiting until 2026-03-02T10:30:00Z: the disruption budget: starts.perHour: 600 of 600 have begun in the last hour
  10:00:02   event Waiting: 0 of 4 machines run runc-2. No batch has begun: the disruption budget: starts.perHour: 600 of 600 have begun in the last hour.
when the budget allows 2 at once
  10:00:04 n1, n3: to runc-2, batch 1
  10:00:04 runc: batch 1 (4) Updating until 2026-03-02T10:30:04Z: waits for n1, n3
  10:00:04   event BatchStarted: Batch 1 of runc-2: 4 at most.
  10:00:05 n2, n4: to runc-2, batch 1
  10:00:06 runc: batch 1 (4) Done
  10:00:06   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
