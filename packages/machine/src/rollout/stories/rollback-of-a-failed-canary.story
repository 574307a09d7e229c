# The canary fails, its agent has it on the old revision already; the set says so too and takes its entry back.
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 3; maxUnavailable 1; onFailure Rollback
given all is Ready
given runc-2 fails everywhere
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 n1: to runc-1
  10:00:08 runc: batch 1 (1) RollingBack: back to runc-1: waits for n1. BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused)
  10:00:08   event WARNING BatchFailed: Batch 1: n1 (Failed at step probe: probe socket: refused).
  10:00:08   event WARNING RollingBack: back to runc-1: waits for n1. BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused).
  10:00:09 runc: batch 1 (1) Paused: BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:09   event RolledBack: BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision.
when machine new
  10:00:11 new: gets runc-1, joining
end
  runc: Ready False BatchFailed: 0 of 5 machines run runc-2. BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). Its machines are back on runc-1. It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n1, n2, n3, n4, new
