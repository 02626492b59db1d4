import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { AttemptDirectory, ATTEMPT_FILES } from './attempt-directory.js';
import { FileLane, FileRefused } from './file-lane.js';
import { fileThread, removing, type FileOperation, type FileReply, type FileRequests } from './file-thread.js';
import { SeatMaker } from './seat-maker.js';

/** What the thread answers on a disk of which one file cannot be removed. */
function onDiskThatKeeps(file: string, operations: readonly FileOperation[]): FileReply | undefined {
  const unlinkSync = (path: fs.PathLike): void => {
    if (basename(path.toString()) === file) throw Object.assign(new Error('EIO: i/o error, unlink'), { code: 'EIO' });
    fs.unlinkSync(path);
  };
  const disk = { ...fs, unlinkSync };
  const replies: FileReply[] = [];
  const port = {
    on: (_event: string, listen: (requests: FileRequests) => void) => {
      listen({ urgent: [{ id: 1, operations }], later: [] });
      return port;
    },
    postMessage: (some: readonly FileReply[]) => void replies.push(...some),
  };
  fileThread(disk, port, removing(disk));
  return replies[0];
}

describe('the maker of seats', () => {
  let stateDir: string;
  let lane: FileLane;
  let seats: SeatMaker;
  beforeEach(async () => {
    stateDir = fs.mkdtempSync(join(tmpdir(), 'muster-seats-'));
    fs.mkdirSync(join(stateDir, 'attempts'));
    lane = new FileLane();
    seats = new SeatMaker({
      readyDir: join(stateDir, 'ready'),
      spareDir: join(stateDir, 'spare'),
      spares: 2,
      lane,
      inCgroup: false,
      ahead: () => [],
      groupPathOf: () => null,
      emptied: () => Promise.resolve(),
      groupsLeft: () => Promise.resolve([]),
    });
    await seats.open(join(stateDir, 'attempts'));
  });
  afterEach(async () => {
    await lane.close();
    fs.rmSync(stateDir, { recursive: true, force: true });
  });

  /** The directory of an execution that is over, with a record of each kind. */
  const anEnded = async (): Promise<AttemptDirectory> => {
    await seats.make('first');
    const directory = new AttemptDirectory(join(stateDir, 'attempts', 'first'));
    fs.renameSync(seats.directoryOf('first').path, directory.path);
    for (const name of ['intent', 'run', 'ident', 'end', 'result'] as const)
      fs.writeFileSync(directory.file(name), name);
    return directory;
  };
  const filesOf = (id: string): string[] => fs.readdirSync(seats.directoryOf(id).path).sort();

  it('makes the next seat of what an ended execution leaves, with nothing of it that is not written anew', async () => {
    const ended = await anEnded();
    const before = fs.statSync(ended.path).ino;
    await seats.reuse(ended);
    await seats.make('second');
    expect([fs.statSync(seats.directoryOf('second').path).ino, filesOf('second')]).toEqual([
      before,
      [ATTEMPT_FILES.intent, ATTEMPT_FILES.run, ATTEMPT_FILES.status].sort(),
    ]);
  });

  it.each(['ident', 'end', 'result'] as const)(
    'says so when the %s of an ended execution cannot be removed, and makes no seat of what is left',
    async (kept) => {
      const ended = await anEnded();
      jest.spyOn(lane, 'runLater').mockImplementation((operations) => {
        const error = onDiskThatKeeps(ATTEMPT_FILES[kept], operations)?.error;
        return error ? Promise.reject(new FileRefused(error.message, error.code)) : Promise.resolve();
      });
      await expect(seats.reuse(ended)).rejects.toMatchObject({ code: 'EIO' });
      await seats.make('second');
      expect(filesOf('second')).toEqual([ATTEMPT_FILES.status]);
    },
  );
});
