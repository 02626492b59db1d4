import { changesBetween } from './inventory-changes.js';

describe('what changed about a machine', () => {
  it('is told with the value before and the value now, of the fields that differ and of no other', () => {
    const before = { memoryMb: 8_000, gpus: [{ index: 0, model: 'A' }], labels: { zone: 'lab' }, hostname: 'h' };
    const now = { memoryMb: 16_000, gpus: [{ index: 0, model: 'A' }], labels: { zone: 'yard' }, hostname: 'h' };
    expect(changesBetween(before, now)).toEqual({
      changed: ['memoryMb', 'labels'],
      values: { memoryMb: { before: 8_000, now: 16_000 }, labels: { before: { zone: 'lab' }, now: { zone: 'yard' } } },
    });
  });

  it('is nothing where only the order of names, or a field without a value, differs', () => {
    expect(changesBetween({ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 }, b: undefined }).changed).toEqual([]);
  });

  it('names fields that came and fields that went', () => {
    expect(changesBetween({ old: 1 }, { new: 2 }).values).toEqual({ new: { before: null, now: 2 }, old: { before: 1, now: null } });
  });

  it('is cut off where a value is long, and says how long it was', () => {
    const { values } = changesBetween({ notes: [] }, { notes: ['x'.repeat(100_000)] });
    expect(JSON.stringify(values).length).toBeLessThan(1_200);
    expect(values['notes']?.now).toMatch(/… \(100004 characters\)$/);
  });
});
