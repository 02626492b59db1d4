// What people and programs ask of a control plane, as requests; each answers its times in milliseconds, or why there are none.
import { finishedId, queuedId } from '../../scale/fill.mjs';
import { timesOf } from '../../measure/waiting.mjs';

/** What one operation may take: a slow one is known to be slow after a few samples. */
const BUDGET_MS = 10_000;

export function operationsOf({ api, worker }, { count, samples }) {
  const get = (path) => timed(() => api.get(path));
  const anyOf = (index) => 1 + ((index * 7919) % count);
  const timed = async (work) => {
    await work(0);
    return timesOf(samples, work, BUDGET_MS);
  };
  return {
    'submit one': () => timed((index) => api.post('/jobs', waiting(index))),
    'submit 100': () =>
      timed((index) => api.post('/jobs', { jobs: Array.from({ length: 100 }, (_, at) => waiting(index * 100 + at)) })),
    'get, finished': () => timed((index) => api.get(`/jobs/${finishedId(anyOf(index))}`)),
    'get, queued': () => timed((index) => api.get(`/jobs/${queuedId(anyOf(index))}`)),
    'explain, queued': () => timed((index) => api.get(`/jobs/${queuedId(anyOf(index))}/explain`)),
    attempts: () => timed((index) => api.get(`/jobs/${finishedId(anyOf(index))}/attempts`)),
    events: () => timed((index) => api.get(`/jobs/${finishedId(anyOf(index))}/events`)),
    list: () => get('/jobs'),
    'list queued': () => get('/jobs?status=queued'),
    'list completed': () => get('/jobs?status=completed'),
    'list failed': () => get('/jobs?status=failed'),
    'list running, none': () => get('/jobs?status=running'),
    'list of an owner': () => get('/jobs?owner=owner-3'),
    'list with a label': () => get('/jobs?label=experiment:77'),
    'list of a worker': () => get(`/jobs?worker=${worker.id}`),
    'list by text, found': () => get('/jobs?q=train'),
    'list by text, not there': () => get('/jobs?q=nobody-has-this'),
    'list by first characters': () => get(`/jobs?prefix=${queuedId(Math.ceil(count / 2)).slice(0, 24)}`),
    'list, ten pages': () => timed(() => pages(api, 10)),
    'list workers': () => get('/workers'),
    'stats of workers': () => get('/workers/stats'),
    stats: () => get('/stats'),
  };
}

async function pages(api, count) {
  let cursor = '';
  for (let page = 0; page < count; page++) {
    const { nextCursor } = await api.get(`/jobs?limit=50${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    if (nextCursor === null) return;
    cursor = nextCursor;
  }
}

const waiting = (index) => ({
  name: `more-${index}`,
  run: { command: ['python3', 'train.py', '--seed', String(index)] },
  labels: { experiment: 'more' },
  needs: { labels: { bench: 'nobody' } },
});
