# It never opens, and what is wrong is said.
given 2 machines
given revisions runc-1, runc-2, runc-3
given set runc: revision runc-1; batches 1; maxUnavailable 1; windows 22:00-23:00 Mars/Olympus
given all is Ready
when set runc: revision runc-2
  10:00:07 runc: no batch yet Waiting: spec.rollout.windows[0].timeZone is "Mars/Olympus", which is no time zone that is known here: give an IANA name such as Asia/Shanghai or UTC; until then the windows are closed
  10:00:07   event Waiting: 0 of 2 machines run runc-2. No batch has begun: spec.rollout.windows[0].timeZone is "Mars/Olympus", which is no time zone that is known here: give an IANA name such as Asia/Shanghai or UTC; until then the windows are closed.
end
  runc: Ready False Waiting: 0 of 2 machines run runc-2. No batch has begun: spec.rollout.windows[0].timeZone is "Mars/Olympus", which is no time zone that is known here: give an IANA name such as Asia/Shanghai or UTC; until then the windows are closed.
  runc-1: n1, n2
