type State = 'queued' | 'running';

export function word(state: State): string {
  switch (state) {
    case 'queued':
      return 'waiting';
  }
  return '';
}
