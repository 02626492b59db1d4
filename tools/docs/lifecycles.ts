import { ATTEMPT_TRANSITIONS, JOB_TRANSITIONS, WORKER_LINK_TRANSITIONS } from '@muster/domain';

/** From → to → what takes it there. */
type Transitions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

interface Lifecycle {
  readonly heading: string;
  readonly about: string;
  /** Where it begins. */
  readonly first: string;
  readonly transitions: Transitions;
}

const LIFECYCLES: readonly Lifecycle[] = [
  {
    heading: 'Job',
    about: 'What a submitter sees: the status of a job. Beside it always stand its reason and what people want of it.',
    first: 'queued',
    transitions: JOB_TRANSITIONS,
  },
  {
    heading: 'Attempt',
    about: 'One try at a job on one worker. `new` is the moment before it exists.',
    first: 'new',
    transitions: ATTEMPT_TRANSITIONS,
  },
  {
    heading: 'Worker link',
    about: 'How a worker is reached. What becomes of its attempts is decided by their leases, not by this.',
    first: 'connected',
    transitions: WORKER_LINK_TRANSITIONS,
  },
];

/** docs/lifecycles.md, whole. */
export function renderLifecycles(): string {
  return [
    '# Lifecycles',
    '',
    'Drawn from the transition tables in `libs/domain/src`; do not edit. A test fails while this page is stale; `cd tools && UPDATE_DOCS=1 npx jest lifecycles`',
    'draws it again.',
    ...LIFECYCLES.flatMap(renderLifecycle),
    '',
  ].join('\n');
}

function renderLifecycle({ heading, about, first, transitions }: Lifecycle): string[] {
  const moves = Object.entries(transitions).flatMap(([from, targets]) =>
    Object.entries(targets).map(([to, causes]) => ({ from, to, causes })),
  );
  const final = Object.keys(transitions).filter((from) =>
    Object.keys(transitions[from] ?? {}).every((to) => to === from),
  );
  return [
    '',
    `## ${heading}`,
    '',
    about,
    '',
    '```mermaid',
    'stateDiagram-v2',
    `  [*] --> ${first}`,
    ...moves.map(({ from, to }) => `  ${from} --> ${to}`),
    ...final.map((state) => `  ${state} --> [*]`),
    '```',
    '',
    '| From | To | What takes it there |',
    '|---|---|---|',
    ...moves.map(({ from, to, causes }) => `| ${from} | ${to} | ${causes.join('; ')} |`),
  ];
}
