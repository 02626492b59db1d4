/**
 * What specs get for `pg`: the same, but a connection that is still asked something refuses to be asked more, unless its
 * statements are pipelined. The driver queues them up to version 8 and says so once at most; version 9 does not any more.
 */
const { join } = require('node:path');

const FOLDER = '../../node_modules/pg';
// By its path: its name stands for this file.
const pg = require(join(FOLDER, require(join(FOLDER, 'package.json')).exports['.'].require));

const { query } = pg.Client.prototype;
pg.Client.prototype.query = function askWhenFree(...given) {
  const isBusy = Boolean(this._activeQuery) || this._queryQueue.length > 0;
  if (isBusy && !this.pipeline) throw new Error(`A connection is still asked something, and ${JSON.stringify(given[0]?.text ?? given[0])} does not wait for it.`);
  return Reflect.apply(query, this, given);
};

module.exports = pg;
