# A revision that needs a drained machine: while the machine waits for the budget its deadline does not run; it runs from the leave.
given 3 machines
given revisions runc-1, runc-2
given runc-2 needs a drain
given set runc: revision runc-1; batches 1 1; maxUnavailable 2; deadline 10m
given all is Ready
when set runc: revision runc-2
  10:00:08 n1: to runc-2, batch 1
  10:00:08 runc: batch 1 (1) Updating until 2026-03-01T10:10:08Z: waits for n1
  10:00:08   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:09 runc: batch 1 (1) Updating: waits for n1 (Waiting: waits for leave)
when n1 waits for the budget
when 3h pass
when another operator leads
when 1h passes
when n1 is being drained
  14:00:17 runc: batch 1 (1) Updating until 2026-03-01T14:10:16Z: waits for n1 (Waiting: waits for leave)
when 5m pass
when n1 has leave
  14:05:21 n3: to runc-2, batch 2
  14:05:21 runc: batch 2 (1) Updating until 2026-03-01T14:15:21Z: waits for n3
  14:05:21   event BatchStarted: Batch 2 of runc-2: 1 at most.
  14:05:22 runc: batch 2 (1) Updating: waits for n3 (Waiting: waits for leave)
when n1 is put back to work
when runc-2 hangs everywhere
when n3 waits for the budget
when 1h passes
when n3 is being drained
  15:05:29 runc: batch 2 (1) Updating until 2026-03-01T15:15:28Z: waits for n3 (Waiting: waits for leave)
when 9m pass
when n3 has leave
when 9m pass
when 2m pass
  15:24:32 runc: batch 2 (1) Paused: DeadlineExceeded in batch 2: n3 (Installing: step start). It goes on with another revision, with another retryToken, or with promote set to this revision
  15:24:32   event WARNING DeadlineExceeded: Batch 2: n3 (Installing: step start).
when runc-2 is good
when set runc: retryToken go-on
  15:25:42 n2: to runc-2, batch 3
  15:25:42 runc: batch 3 (1) Updating until 2026-03-01T15:35:42Z: waits for n2
  15:25:42   event Resumed: No longer stopped by DeadlineExceeded: retryToken was changed.
  15:25:42   event BatchStarted: Batch 3 of runc-2: 1 at most.
  15:25:43 runc: batch 3 (1) Updating: waits for n2 (Waiting: waits for leave)
when n2 waits for the budget
when 1h passes
when n2 is silent
  16:25:48 runc: batch 3 (1) Updating until 2026-03-01T16:35:47Z: waits for n2 (its agent does not report)
when 9m pass
when n2 is back
  16:34:52 runc: batch 3 (1) Updating: waits for n2 (Waiting: waits for leave)
when 1h passes
when n2 has leave
  17:34:56 runc: batch 3 (1) Done
  17:34:56   event RolledOut: runc-2 is on all 3 machines.
when n2 is put back to work
end
  runc: Ready True RolledOut: runc-2 is on all 3 machines.
  runc-2: n1, n2, n3
