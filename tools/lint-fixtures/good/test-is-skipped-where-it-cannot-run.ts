const itWithCgroups = process.platform === 'linux' ? it : it.skip;

itWithCgroups('a job stays below its memory limit', () => expect(1).toBe(1));
