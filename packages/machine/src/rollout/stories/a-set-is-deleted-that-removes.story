# removal: Remove. The component leaves the machines batch by batch before the set goes; there is nothing to inspect afterwards.
given 3 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1 2; maxUnavailable 2; removal Remove; observation 1h; inspections baseline=BuiltIn
given all is Ready
when set runc is being deleted
  10:00:07 n1: removes runc, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-1: 1 at most.
  10:00:08 n1: has no runc any more
  10:00:08 n2, n3: removes runc, batch 2
  10:00:08 runc: batch 2 (2) Updating until 2026-03-01T10:30:08Z: waits for n3, n2
  10:00:08   event BatchStarted: Batch 2 of runc-1: 2 at most.
  10:00:09 n2, n3: has no runc any more
  10:00:09 runc: batch 2 (2) Done
end
  runc: Ready False Removing: The set is being deleted with removal: Remove; 0 machines still to be cleaned. 
