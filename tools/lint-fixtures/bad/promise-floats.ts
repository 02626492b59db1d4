const store = async (): Promise<void> => Promise.resolve();

export function handle(): void {
  store();
}
