import { parentPort, workerData } from 'node:worker_threads';

const { runRange, runSchedule, describeFailure } = await import(workerData.file);

parentPort.on('message', ({ profile, first, count }) => {
  const figures = runRange(profile, first, count);
  const [failure] = figures.failures;
  const description = failure === undefined ? null : describeFailure(runSchedule(failure.seed, profile));
  const failures = figures.failures.map(({ seed, violation }) => ({ seed, profile, violation }));
  parentPort.postMessage({ ...figures, failures, description });
});
