// What a processor profile says, in a few lines: who spends the time, by package and by function. Pure.

/** Not work: waiting for something to do. */
const IDLE = new Set(['(idle)']);

/**
 * @param {{ nodes: readonly object[], samples: readonly number[], timeDeltas: readonly number[] }} profile as V8 writes it
 * @returns {{ busyMs: number, idleMs: number, owners: { name: string, ms: number }[], functions: { name: string, ms: number }[], totals: { name: string, ms: number }[] }}
 *   own time by owner and by function, and the time spent at or below each of our own functions; most first
 */
export function topCosts(profile) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const own = new Map();
  profile.samples.forEach((id, index) =>
    own.set(id, (own.get(id) ?? 0) + Math.max(0, profile.timeDeltas[index]) / 1000),
  );
  const owners = new Map();
  const functions = new Map();
  const totals = new Map();
  let busyMs = 0;
  let idleMs = 0;
  for (const [id, ms] of own) {
    const { callFrame } = nodes.get(id);
    if (IDLE.has(callFrame.functionName)) {
      idleMs += ms;
      continue;
    }
    busyMs += ms;
    add(owners, ownerOf(callFrame), ms);
    add(functions, nameOf(callFrame), ms);
    for (const name of oursAbove(nodes, parents, id)) add(totals, name, ms);
  }
  return { busyMs, idleMs, owners: sorted(owners), functions: sorted(functions), totals: sorted(totals) };
}

/** Lines for people: the share of the busy time of the first `count` of each list. */
export function costLines({ busyMs, idleMs, owners, functions, totals }, count = 14) {
  const share = (ms) => `${((100 * ms) / busyMs).toFixed(1).padStart(5)} %`;
  const list = (title, entries) => [
    `  ${title}`,
    ...entries.slice(0, count).map(({ name, ms }) => `    ${share(ms)}  ${name}`),
  ];
  return [
    `  busy ${(busyMs / 1000).toFixed(1)} s, idle ${(idleMs / 1000).toFixed(1)} s`,
    ...list('own time, by package or folder', owners),
    ...list('own time, by function', functions),
    ...list('time at or below our own functions', totals),
  ];
}

function add(sums, name, ms) {
  sums.set(name, (sums.get(name) ?? 0) + ms);
}

function sorted(sums) {
  return [...sums].map(([name, ms]) => ({ name, ms })).sort((a, b) => b.ms - a.ms);
}

/** Each of our functions on the stack once, also where it calls itself. */
function oursAbove(nodes, parents, id) {
  const names = new Set();
  for (let at = id; at !== undefined; at = parents.get(at)) {
    const { callFrame } = nodes.get(at);
    if (isOurs(callFrame.url)) names.add(nameOf(callFrame));
  }
  return names;
}

const isOurs = (url) => /\/(apps|libs)\/[^/]+\/dist\//.test(url);

function ownerOf({ functionName, url }) {
  if (url === '') return functionName || '(native)';
  if (url.startsWith('node:'))
    return url.split('/')[0] === 'node:internal' ? `node:internal/${url.split('/')[1]}` : url;
  const packages = url.split('/node_modules/');
  if (packages.length > 1)
    return packages
      .at(-1)
      .split('/')
      .slice(0, packages.at(-1).startsWith('@') ? 2 : 1)
      .join('/');
  const ours = /\/((?:apps|libs)\/[^/]+)\/dist\/([^/]+)/.exec(url);
  return ours ? `${ours[1]}/${ours[2]}` : url;
}

function nameOf({ functionName, url, lineNumber }) {
  const file = url
    .replace(/^.*\/node_modules\//, '')
    .replace(/^.*\/((?:apps|libs)\/)/, '$1')
    .replace('/dist/', '/');
  return `${functionName || '(anonymous)'}${file ? ` ${file}:${lineNumber + 1}` : ''}`;
}
