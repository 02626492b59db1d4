import { parseOsRelease, readSystemNames } from './system-names.js';

describe('the name of a system', () => {
  const table: [string, string, string | null][] = [
    ['in quotes', 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n', 'Debian GNU/Linux 12'],
    ['bare', 'NAME=Fedora\nVERSION_ID=41\n', 'Fedora 41'],
    ['in single quotes', "NAME='Alpine Linux'\nVERSION_ID=3.20.1", 'Alpine Linux 3.20.1'],
    ['with what a shell would need escaped', 'NAME="A \\"B\\" \\$C"\n', 'A "B" $C'],
    ['without a version', 'NAME="Arch Linux"\nBUILD_ID=rolling\n', 'Arch Linux'],
    ['absent', 'ID=x\n', null],
    ['of an empty file', '', null],
  ];
  it.each(table)('is read %s', (_how, text, name) => {
    expect(parseOsRelease(text)).toBe(name);
  });

  it('is there on this machine, or known not to be', async () => {
    const { system, processor } = await readSystemNames();
    for (const name of [system, processor]) expect(name === null || name.trim().length > 0).toBe(true);
  });
});
