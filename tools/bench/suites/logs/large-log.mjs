// Reading and searching one large log: what it takes, and how much memory of the control plane.
import { startOfLine } from '../../logs/lines.mjs';
import { memoryOf, watchMemory } from '../../measure/memory.mjs';
import { timesOf } from '../../measure/waiting.mjs';
import { printAndProve } from './printing.mjs';

const PAGE_LINES = 200;

export async function largeLog(stack, { largeBytes, lineBytes, pages }) {
  const { api } = stack;
  const lines = Math.floor(largeBytes / lineBytes);
  const printed = await printAndProve(stack, [
    { lines, lineBytes, seed: 7, logBytes: Math.max(65_536, Math.ceil(largeBytes * 1.1)) },
  ]);
  const path = `/jobs/${printed.ids[0]}/logs`;
  const pid = stack.pids().controlPlane;
  const rssBeforeMb = memoryOf(pid).rssMb;
  const watch = watchMemory(pid);
  const tailMs = await timesOf(pages, () => api.get(`${path}?beforeLine=281474976710655&lines=${PAGE_LINES}`));
  const middleMs = await timesOf(pages, async (index) => {
    const line = Math.floor((lines * (index + 1)) / (pages + 1));
    const page = await api.get(`${path}?line=${line}&lines=${PAGE_LINES}`);
    const first = Buffer.from(page.segments[0].base64, 'base64').toString();
    if (!first.startsWith(startOfLine(line))) throw new Error(`Line ${line} is not where it was asked for.`);
  });
  const search = await searchAll(api, path, startOfLine(lines - 2));
  if (search.matches !== 1) throw new Error(`${search.matches} places were found where one is.`);
  return { printed, lines, tailMs, middleMs, search, rssBeforeMb, rssHighestMb: watch.stop() };
}

/** Until the whole log is searched; the server answers piece by piece. */
async function searchAll(api, path, text) {
  const began = performance.now();
  let offset = 0;
  let matches = 0;
  let answers = 0;
  for (let isComplete = false; !isComplete; answers++) {
    const answer = await api.get(`${path}?q=${encodeURIComponent(text)}&offset=${offset}`);
    matches += answer.data.length;
    ({ nextOffset: offset, isComplete } = answer);
  }
  return { matches, answers, seconds: (performance.now() - began) / 1000, bytes: offset };
}
