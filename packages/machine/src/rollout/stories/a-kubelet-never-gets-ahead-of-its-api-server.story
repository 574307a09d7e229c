# 1.37 waits for the API server, and goes on by itself when that was upgraded.
given 2 machines
given revisions kubelet-1.36.3, kubelet-1.37.0
given set kubelet: component kubelet; revision kubelet-1.36.3; batches 1; maxUnavailable 1
given all is Ready
when set kubelet: revision kubelet-1.37.0
  10:00:07 kubelet: no batch yet Waiting: kubelet-1.37.0 is kubelet 1.37.0, newer than the API server, v1.36.3: upgrade the API server first, or give an older revision
  10:00:07   event Waiting: 0 of 2 machines run kubelet-1.37.0. No batch has begun: kubelet-1.37.0 is kubelet 1.37.0, newer than the API server, v1.36.3: upgrade the API server first, or give an older revision.
when the API server is v1.37.1
  10:00:09 n1: to kubelet-1.37.0, batch 1
  10:00:09 kubelet: batch 1 (1) Updating until 2026-03-01T10:30:09Z: waits for n1
  10:00:09   event BatchStarted: Batch 1 of kubelet-1.37.0: 1 at most.
  10:00:10 n2: to kubelet-1.37.0, batch 2
  10:00:10 kubelet: batch 2 (1) Updating until 2026-03-01T10:30:10Z: waits for n2
  10:00:10   event BatchStarted: Batch 2 of kubelet-1.37.0: 1 at most.
  10:00:11 kubelet: batch 2 (1) Done
  10:00:11   event RolledOut: kubelet-1.37.0 is on all 2 machines.
end
  kubelet: Ready True RolledOut: kubelet-1.37.0 is on all 2 machines.
  kubelet-1.37.0: n1, n2
