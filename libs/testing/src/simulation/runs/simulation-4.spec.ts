import { describeShard } from './describe-shard.js';

describeShard(4, __dirname);
