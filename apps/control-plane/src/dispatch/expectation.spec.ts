import { Expectation } from './expectation.js';

describe('what a replica expects to find', () => {
  it('is worth a look at first, and again only when both jobs and room may be there', () => {
    const expectation = new Expectation();
    expect(expectation.isWorthALook).toBe(true);
    expectation.beginLook()({ jobs: false, room: true });
    expectation.expectRoom();
    expect(expectation.isWorthALook).toBe(false);
    expectation.expectJobs();
    expect(expectation.isWorthALook).toBe(true);
    expectation.beginLook()({ jobs: true, room: false });
    expectation.expectJobs();
    expect(expectation.isWorthALook).toBe(false);
    expectation.expectRoom();
    expect(expectation.isWorthALook).toBe(true);
  });

  it('is not taken from a look that began before the news', () => {
    const expectation = new Expectation();
    const found = expectation.beginLook();
    expectation.expectJobs();
    found({ jobs: false, room: true });
    expect(expectation.isWorthALook).toBe(true);
  });
});
