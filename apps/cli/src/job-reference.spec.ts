import { toReference } from './job-reference.js';

const ID = 'job_01JDABCDEFGHJKMNPQRSTVWXYZ';

describe('a reference to a job', () => {
  it.each([
    ['@last', { kind: 'last' }],
    [ID, { kind: 'id', id: ID }],
    [ID.toLowerCase(), { kind: 'id', id: ID }],
    [ID.slice(4), { kind: 'id', id: ID }],
    ['job_01JD', { kind: 'prefix', prefix: 'job_01JD' }],
    ['01JDABCD', { kind: 'prefix', prefix: 'job_01JDABCD' }],
    ['01jdabcd', { kind: 'prefix', prefix: 'job_01JDABCD' }],
    ['train-iris', { kind: 'name', name: 'train-iris' }],
    // Names that could be the beginning of an id but are too short to tell, or cannot be one.
    ['01', { kind: 'name', name: '01' }],
    ['7', { kind: 'name', name: '7' }],
    ['ABC', { kind: 'name', name: 'ABC' }],
    ['job_', { kind: 'name', name: 'job_' }],
    ['job_train!', { kind: 'name', name: 'job_train!' }],
  ])('%s is read as %j', (text, expected) => {
    expect(toReference(text)).toEqual(expected);
  });
});
