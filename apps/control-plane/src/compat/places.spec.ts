import { Places } from './places.js';

describe('places', () => {
  it('are never more than there are, and one that failed is free again', async () => {
    const places = new Places(2);
    const began: number[] = [];
    const endings: ((error?: Error) => void)[] = [];
    const work = (number: number): Promise<void> => {
      began.push(number);
      return new Promise((resolve, reject) => endings.push((error) => (error === undefined ? resolve() : reject(error))));
    };
    const [first, second, third, fourth] = [1, 2, 3, 4].map((number) => places.take(() => work(number)));
    expect(began).toEqual([1, 2]);
    endings[0]?.(new Error('torn'));
    await expect(first).rejects.toThrow('torn');
    expect(began).toEqual([1, 2, 3]);
    for (const index of [1, 2]) endings[index]?.();
    await Promise.all([second, third]);
    expect(began).toEqual([1, 2, 3, 4]);
    endings[3]?.();
    await fourth;
  });
});
