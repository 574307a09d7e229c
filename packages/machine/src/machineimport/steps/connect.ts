import type { Step } from '../deps.ts';

/** A session with the host whose key is the one that was given, as root. */
export const connect: Step = async (work) => {
  const host = await work.host();
  return {
    state: 'Done',
    message: `${host.where} answers, its host key is the expected one, and commands run as root`,
  };
};
