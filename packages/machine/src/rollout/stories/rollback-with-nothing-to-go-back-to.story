# The first revision of all fails.
given 3 machines
given revisions runc-1, runc-2, runc-3
given runc-1 fails everywhere
given set runc: revision runc-1; batches 1; maxUnavailable 1; onFailure Rollback
when nothing
  10:00:01 n1: gets runc-1, batch 1
  10:00:01 runc: batch 1 (1) Updating until 2026-03-01T10:30:01Z: waits for n1
  10:00:01   event BatchStarted: Batch 1 of runc-1: 1 at most.
  10:00:02 runc: batch 1 (1) Paused: BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). There is no revision to go back to: none was completed before. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:02   event WARNING BatchFailed: Batch 1: n1 (Failed at step probe: probe socket: refused).
end
  runc: Ready False BatchFailed: 0 of 3 machines run runc-1. BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). There is no revision to go back to: none was completed before. It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n1
