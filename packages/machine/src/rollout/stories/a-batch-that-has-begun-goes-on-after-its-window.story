# A batch in parts that began in the window ends outside of it.
given it is 2026-03-02T22:50:00Z
given 4 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 4; maxUnavailable 2; windows 22:00-23:00
given all is Ready
when all reads nothing
when set runc: revision runc-2
  22:50:07 n1, n3: to runc-2, batch 1
  22:50:07 runc: batch 1 (4) Updating until 2026-03-02T23:20:07Z: waits for n1, n3
  22:50:07   event BatchStarted: Batch 1 of runc-2: 4 at most.
when 20m pass
when all is back
  23:10:12 n2, n4: to runc-2, batch 1
  23:10:13 runc: batch 1 (4) Done
  23:10:13   event RolledOut: runc-2 is on all 4 machines.
end
  runc: Ready True RolledOut: runc-2 is on all 4 machines.
  runc-2: n1, n2, n3, n4
