# A machine that can't be drained: however often the drain is given up and tried again, the deadline runs from its first try.
given 3 machines
given revisions runc-1, runc-2
given runc-2 needs a drain
given set runc: revision runc-1; batches 1 1; maxUnavailable 2; deadline 30m
given all is Ready
when set runc: revision runc-2
  10:00:08 n1: to runc-2, batch 1
  10:00:08 runc: batch 1 (1) Updating until 2026-03-01T10:30:08Z: waits for n1
  10:00:08   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:09 runc: batch 1 (1) Updating: waits for n1 (Waiting: waits for leave)
when n1 waits for the budget
when 1h passes
when n1 is being drained
  11:00:14 runc: batch 1 (1) Updating until 2026-03-01T11:30:13Z: waits for n1 (Waiting: waits for leave)
when 10m pass
when n1 could not be drained
when 5m pass
when n1 waits for the budget
when 2m pass
when another operator leads
when n1 is being drained
when 10m pass
when n1 could not be drained
when 3m pass
  11:30:13 runc: batch 1 (1) Paused: DeadlineExceeded in batch 1: n1 (Waiting: waits for leave). It goes on with another revision, with another retryToken, or with promote set to this revision
  11:30:13   event WARNING DeadlineExceeded: Batch 1: n1 (Waiting: waits for leave).
when 1m passes
end
  runc: Ready False DeadlineExceeded: 0 of 3 machines run runc-2. DeadlineExceeded in batch 1: n1 (Waiting: waits for leave). It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n2, n3
  runc-2: n1
