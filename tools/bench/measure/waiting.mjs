export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until the answer is truthy and answers it. @throws when it takes longer than `timeoutMs` */
export async function until(what, probe, { everyMs = 20, timeoutMs = 300_000 } = {}) {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer) return answer;
    if (performance.now() > endMs) throw new Error(`Waited ${timeoutMs / 1_000} s in vain for ${what}.`);
    await sleep(everyMs);
  }
}

/** Runs `work` for every index below `count`, at most `width` at a time. */
export async function inParallel(count, width, work) {
  let next = 0;
  const one = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, one));
}

/** Milliseconds that `work` took, for each of `count` turns, one after the other; fewer when they take longer than `budgetMs` together. */
export async function timesOf(count, work, budgetMs = Number.POSITIVE_INFINITY) {
  const times = [];
  const endMs = performance.now() + budgetMs;
  for (let index = 0; index < count && (index === 0 || performance.now() < endMs); index++) {
    const began = performance.now();
    await work(index);
    times.push(performance.now() - began);
  }
  return times;
}
