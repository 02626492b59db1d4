import { describeShard } from './describe-shard.js';

describeShard(2, __dirname);
