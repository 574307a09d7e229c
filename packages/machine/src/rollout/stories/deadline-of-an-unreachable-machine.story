# The network to a host is cut in the middle of its move: it takes capacity, and counts as failed at the deadline; within maxFailed the rollout goes past it, and it catches up.
given 5 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 2; maxUnavailable 3; deadline 10m; maxFailed 1
given all is Ready
when all reads nothing
when set runc: revision runc-2
  10:00:09 n1, n3: to runc-2, batch 1
  10:00:09 runc: batch 1 (2) Updating until 2026-03-01T10:10:09Z: waits for n1, n3
  10:00:09   event BatchStarted: Batch 1 of runc-2: 2 at most.
when n1, n2, n3, n4 are back
  10:00:12 n2, n5: to runc-2, batch 2
  10:00:12 runc: batch 2 (2) Updating until 2026-03-01T10:10:12Z: waits for n2, n5
  10:00:12   event BatchStarted: Batch 2 of runc-2: 2 at most.
when n5 is silent
when 11m pass
  10:10:12 n4: to runc-2, batch 3
  10:10:12 runc: batch 3 (2) Updating until 2026-03-01T10:20:12Z: waits for n4
  10:10:12   event BatchStarted: Batch 3 of runc-2: 2 at most.
  10:10:13 runc: batch 3 (2) Waiting: all others have it; n5 (its agent does not report): change retryToken to have it tried again, or give another revision
  10:10:13   event WARNING BatchFailed: 4 of 5 machines run runc-2. Batch 3: all others have it; n5 (its agent does not report): change retryToken to have it tried again, or give another revision.
when n5 is back
  10:11:19 runc: batch 3 (2) Done
  10:11:19   event RolledOut: runc-2 is on all 5 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 5 machines.
  runc-2: n1, n2, n3, n4, n5
