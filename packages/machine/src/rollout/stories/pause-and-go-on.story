# A person pauses in the middle: what has begun ends, nothing new begins; then it goes on where it was.
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1
given all is Ready
when all reads nothing
when set runc: revision runc-2
  10:00:10 n1: to runc-2, batch 1
  10:00:10 runc: batch 1 (1) Updating until 2026-03-01T10:30:10Z: waits for n1
  10:00:10   event BatchStarted: Batch 1 of runc-2: 1 at most.
when set runc: paused true
  10:00:13   event Paused: spec.paused is true: no machine is moved.
when all is back
  10:00:15 runc: batch 1 (1) Paused: paused with 3 machines still to be moved: set spec.paused to false to go on
when 1h passes
when set runc: paused false
  11:00:19 n3: to runc-2, batch 2
  11:00:19 runc: batch 2 (1) Updating until 2026-03-01T11:30:19Z: waits for n3
  11:00:19   event Resumed: spec.paused is false.
  11:00:19   event BatchStarted: Batch 2 of runc-2: 1 at most.
  11:00:20 n2: to runc-2, batch 3
  11:00:20 runc: batch 3 (1) Updating until 2026-03-01T11:30:20Z: waits for n2
  11:00:20   event BatchStarted: Batch 3 of runc-2: 1 at most.
  11:00:21 n4: to runc-2, batch 4
  11:00:21 runc: batch 4 (1) Updating until 2026-03-01T11:30:21Z: waits for n4
  11:00:21   event BatchStarted: Batch 4 of runc-2: 1 at most.
  11:00:22 runc: batch 4 (1) Done
  11:00:22   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
