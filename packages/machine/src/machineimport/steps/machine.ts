import { fieldManagers } from '@kubenode/api';
import { findCondition, isConflict } from '@kubenode/runtime';
import { Machine } from '../../kinds.ts';
import { importAnnotation, type Step } from '../deps.ts';
import { deleteToken } from '../token.ts';
import { agentsWord } from './certificate.ts';
import { importTokenId } from './identity.ts';

const againMs = 2_000;

/** The Machine stands as the import describes it, and its agent reports. */
export const machine: Step = async (work) => {
  const { object, client, signal } = work;
  const { name, labels, nodeName, node } = object.spec.machine;
  const existing = await work.machine();
  if (existing?.metadata.deletionTimestamp !== undefined) {
    return {
      state: 'Waiting',
      message: `Machine ${name} is being deleted; it is made anew when it is gone`,
      againMs,
    };
  }
  try {
    await client.apply(
      Machine,
      {
        metadata: {
          name,
          annotations: { [importAnnotation]: object.metadata.name },
          ...(labels === undefined ? {} : { labels }),
        },
        spec: { ...(nodeName === undefined ? {} : { nodeName }), ...(node === undefined ? {} : { node }) },
      },
      { fieldManager: fieldManagers.import, signal },
    );
  } catch (error) {
    if (!isConflict(error)) throw error;
    const fields = error.causes.map(({ field, message }) => `${field} (${message})`).join(', ');
    return {
      state: 'Failed',
      message: `Machine ${name} exists and others own what spec.machine declares: ${fields || error.message}; make both agree, or leave it out of spec.machine`,
    };
  }
  const ready = findCondition((await work.machine())?.status?.conditions, 'AgentReady');
  if (ready?.status !== 'True') {
    const why = ready === undefined ? 'has not reported yet' : `is not ready: ${ready.message}`;
    return {
      state: 'Waiting',
      message: `Machine ${name} is made; its agent ${why}${await agentsWord(work)}`,
      againMs,
    };
  }
  // It did its work; what was not used again cannot be stolen.
  await deleteToken(client, importTokenId(object.metadata.uid ?? '', 'agent'), signal);
  return { state: 'Done', message: `Machine ${name} is made and its agent reports` };
};
