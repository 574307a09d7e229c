# A revision that hangs: at the deadline its machine counts as failed, and the rollout stops for good.
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 3; maxUnavailable 2; deadline 10m
given all is Ready
given runc-2 hangs everywhere
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:10:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
when 9m pass
when 2m pass
  10:10:07 runc: batch 1 (1) Paused: DeadlineExceeded in batch 1: n1 (Installing: step start). It goes on with another revision, with another retryToken, or with promote set to this revision
  10:10:07   event WARNING DeadlineExceeded: Batch 1: n1 (Installing: step start).
when runc-2 is good
when set runc: retryToken go-on
  10:11:17 n2, n3: to runc-2, batch 2
  10:11:17 runc: batch 2 (3) Updating until 2026-03-01T10:21:17Z: waits for n3, n2
  10:11:17   event Resumed: No longer stopped by DeadlineExceeded: retryToken was changed.
  10:11:17   event BatchStarted: Batch 2 of runc-2: 3 at most.
  10:11:18 n4: to runc-2, batch 2
  10:11:19 runc: batch 2 (3) Done
  10:11:19   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
