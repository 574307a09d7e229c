# Nothing to do is said as such, and the first machine that comes gets the revision.
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; selector pool=web; batches 1; maxUnavailable 1
when nothing
when machine a with pool=db
when machine b with pool=web
  10:00:04 b: gets runc-1, batch 1
  10:00:04 runc: batch 1 (1) Updating until 2026-03-01T10:30:04Z: waits for b
  10:00:04   event BatchStarted: Batch 1 of runc-1: 1 at most.
  10:00:05 runc: batch 1 (1) Done
  10:00:05   event RolledOut: runc-1 is on the only machine.
end
  runc: Ready True RolledOut: runc-1 is on the only machine.
  runc-1: b
