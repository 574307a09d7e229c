# Nothing can be told of a silent machine: the observation does not end, and the deadline of the inspection stops the rollout.
given 2 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; inspections baseline=BuiltIn; observation 10m
given all is Ready
when set runc: revision runc-2
  10:00:07 n1: to runc-2, batch 1
  10:00:07 runc: batch 1 (1) Updating until 2026-03-01T10:30:07Z: waits for n1
  10:00:07   event BatchStarted: Batch 1 of runc-2: 1 at most.
  10:00:08 runc: batch 1 (1) Observing until 2026-03-01T10:10:08Z: observed until 2026-03-01T10:10:08Z, and inspected once more; then the next batch begins
  10:00:08   event BatchInspected: Batch 1 is Ready: baseline (components and Nodes are Ready, nothing new is wrong); observed until 2026-03-01T10:10:08Z.
when n1, n2 are silent
  10:00:10 runc: batch 1 (1) Observing until 2026-03-01T10:10:08Z: observed until 2026-03-01T10:10:08Z, and inspected once more; then the next batch begins; baseline: n1: runc: its agent does not report
when 10m pass
  10:10:08 runc: batch 1 (1) Observing until 2026-03-01T10:15:08Z: observed for 10m; inspection baseline has to pass once more: n1: runc: its agent does not report; otherwise the rollout stops at 2026-03-01T10:15:08Z
when 6m pass
  10:15:08 runc: batch 1 (1) Paused: InspectionInconclusive in batch 1: inspection baseline could not be told to pass or to fail until its deadline: n1: runc: its agent does not report. It goes on with another revision, with another retryToken, or with promote set to this revision
  10:15:08   event WARNING InspectionInconclusive: Batch 1: inspection baseline could not be told to pass or to fail until its deadline: n1: runc: its agent does not report.
end
  runc: Ready False InspectionInconclusive: 0 of 2 machines run runc-2. InspectionInconclusive in batch 1: inspection baseline could not be told to pass or to fail until its deadline: n1: runc: its agent does not report. It goes on with another revision, with another retryToken, or with promote set to this revision.
  runc-1: n2
  runc-2: n1
