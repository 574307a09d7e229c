# The second try fails as the first: stopped once more, and it says so.
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 3; maxUnavailable 3
given all is Ready
given runc-2 fails everywhere
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Paused: BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:08   event WARNING BatchFailed: Batch 1: n1 (Failed at step probe: probe socket: refused).
when set runc: retryToken again
  10:00:10 n1: tries runc-2 again
  10:00:10 runc: batch 1 (1) Updating until 2026-03-01T10:30:10Z: waits for n1 (told, not begun yet)
  10:00:10   event Resumed: No longer stopped by BatchFailed: retryToken was changed.
  10:00:11 runc: batch 1 (1) Paused: BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:11   event WARNING BatchFailed: Batch 1: n1 (Failed at step probe: probe socket: refused).
end
  runc: Ready False BatchFailed: 0 of 4 machines run runc-2. BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused). It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n2, n3, n4
  runc-2: n1
