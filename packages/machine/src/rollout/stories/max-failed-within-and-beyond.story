# One of a batch may fail, two may not.
given 6 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 3; maxUnavailable 3; maxFailed 1
given all is Ready
given n1 fails what is new
given n3 fails what is new
when set runc: revision runc-2
  10:00:07 n1, n2, n3: to runc-2, batch 1
  10:00:07 runc: batch 1 (3) Updating until 2026-03-01T10:30:07Z: waits for n1, n3, n2
  10:00:07   event BatchStarted: Batch 1 of runc-2: 3 at most.
  10:00:08 runc: batch 1 (3) Paused: BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused), n3 (Failed at step probe: probe socket: refused). It goes on with another revision, with another retryToken, or with promote set to this revision
  10:00:08   event WARNING BatchFailed: Batch 1: n1 (Failed at step probe: probe socket: refused), n3 (Failed at step probe: probe socket: refused).
end
  runc: Ready False BatchFailed: 1 of 6 machines run runc-2. BatchFailed in batch 1: n1 (Failed at step probe: probe socket: refused), n3 (Failed at step probe: probe socket: refused). It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n4, n5, n6
  runc-2: n1, n2, n3
