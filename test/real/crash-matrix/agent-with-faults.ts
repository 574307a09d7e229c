/** The agent's own program, with a place to end before and after each step. No trace of this is in the agent that is delivered. */
import './fault-points.ts';
import '../../../packages/agent/src/start.ts';
