/** The kinds: names, columns and schema of each. Everything else about them is generated from here. */
import type { z } from 'zod';
import { machine } from './machine.ts';
import { machineComponent } from './machine-component.ts';
import { machineComponentSet } from './machine-component-set.ts';
import { machineImport } from './machine-import.ts';
import { nodeDisruptionBudget } from './node-disruption-budget.ts';

export interface Column {
  name: string;
  type: 'string' | 'integer' | 'date';
  jsonPath: string;
  description: string;
  /** 0 is always shown, 1 with -o wide. */
  priority?: 1;
}
export interface KindDefinition {
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  shortNames: string[];
  columns: Column[];
  schema: z.ZodType;
}

const group = 'kubenode.io';
const version = 'v1alpha1';
const age: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since it was made.',
};
const ready: Column = {
  name: 'Ready',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  description: 'Whether everything is as it should be.',
};

export const kinds: KindDefinition[] = [
  {
    group,
    version,
    kind: 'Machine',
    plural: 'machines',
    singular: 'machine',
    shortNames: ['kn', 'knm'],
    columns: [
      { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Summary of the conditions.' },
      ready,
      {
        name: 'Components',
        type: 'string',
        jsonPath: '.status.summary',
        description: 'Components that are Ready, of all.',
      },
      { name: 'Node', type: 'string', jsonPath: '.status.nodeRef.name', description: 'Its Node.' },
      {
        name: 'Kubelet',
        type: 'string',
        jsonPath: '.status.kubeletVersion',
        description: 'Version of its kubelet.',
      },
      age,
      {
        name: 'OS',
        type: 'string',
        jsonPath: '.status.host.os',
        description: 'Operating system.',
        priority: 1,
      },
      {
        name: 'Address',
        type: 'string',
        jsonPath: '.status.host.addresses[0]',
        description: 'Main address.',
        priority: 1,
      },
      {
        name: 'Agent',
        type: 'string',
        jsonPath: '.status.host.agentVersion',
        description: 'Version of the agent.',
        priority: 1,
      },
      {
        name: 'Why',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Ready")].message',
        description: 'Why it is not Ready.',
        priority: 1,
      },
    ],
    schema: machine,
  },
  {
    group,
    version,
    kind: 'MachineComponent',
    plural: 'machinecomponents',
    singular: 'machinecomponent',
    shortNames: ['knc'],
    columns: [
      {
        name: 'Component',
        type: 'string',
        jsonPath: '.spec.component',
        description: 'Name of the component.',
      },
      { name: 'Version', type: 'string', jsonPath: '.spec.version', description: 'Version of the software.' },
      {
        name: 'Disruption',
        type: 'string',
        jsonPath: '.spec.disruption',
        description: 'What bringing it in costs.',
      },
      age,
      {
        name: 'Unit',
        type: 'string',
        jsonPath: '.spec.unit.name',
        description: 'Its systemd unit.',
        priority: 1,
      },
    ],
    schema: machineComponent,
  },
  {
    group,
    version,
    kind: 'MachineComponentSet',
    plural: 'machinecomponentsets',
    singular: 'machinecomponentset',
    shortNames: ['kncs'],
    columns: [
      {
        name: 'Revision',
        type: 'string',
        jsonPath: '.status.updateRevision',
        description: 'Revision that belongs there.',
      },
      { name: 'Batch', type: 'integer', jsonPath: '.status.batch.number', description: 'Batch under way.' },
      {
        name: 'State',
        type: 'string',
        jsonPath: '.status.batch.state',
        description: 'Where the batch stands.',
      },
      {
        name: 'Updated',
        type: 'integer',
        jsonPath: '.status.updated',
        description: 'Machines that were moved.',
      },
      {
        name: 'Ready',
        type: 'integer',
        jsonPath: '.status.ready',
        description: 'Machines that run it and are Ready.',
      },
      {
        name: 'Machines',
        type: 'integer',
        jsonPath: '.status.machines',
        description: 'Machines of the set.',
      },
      {
        name: 'Failed',
        type: 'integer',
        jsonPath: '.status.failed',
        description: 'Machines where it failed.',
      },
      age,
      {
        name: 'Why',
        type: 'string',
        jsonPath: '.status.batch.reason',
        description: 'What is waited for.',
        priority: 1,
      },
    ],
    schema: machineComponentSet,
  },
  {
    group,
    version,
    kind: 'MachineImport',
    plural: 'machineimports',
    singular: 'machineimport',
    shortNames: ['kni'],
    columns: [
      { name: 'State', type: 'string', jsonPath: '.spec.state', description: 'What is wanted.' },
      { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where it stands.' },
      {
        name: 'Machine',
        type: 'string',
        jsonPath: '.spec.machine.name',
        description: 'Machine that is made.',
      },
      { name: 'Address', type: 'string', jsonPath: '.spec.ssh.address', description: 'Address of the host.' },
      age,
      {
        name: 'Why',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Ready")].message',
        description: 'What is waited for.',
        priority: 1,
      },
    ],
    schema: machineImport,
  },
  {
    group,
    version,
    kind: 'NodeDisruptionBudget',
    plural: 'nodedisruptionbudgets',
    singular: 'nodedisruptionbudget',
    shortNames: ['kndb'],
    columns: [
      ready,
      {
        name: 'Active',
        type: 'integer',
        jsonPath: '.status.active',
        description: 'Disruptions under way.',
      },
      {
        name: 'Machines',
        type: 'integer',
        jsonPath: '.status.machines',
        description: 'Machines that there are.',
      },
      {
        name: 'Unhealthy',
        type: 'integer',
        jsonPath: '.status.unhealthy',
        description: 'Machines that are not Ready.',
      },
      age,
      {
        name: 'Why',
        type: 'string',
        jsonPath: '.status.conditions[?(@.type=="Ready")].message',
        description: 'What forbids disruptions now.',
        priority: 1,
      },
    ],
    schema: nodeDisruptionBudget,
  },
];
