import { describeShard } from './describe-shard.js';

describeShard(1, __dirname);
