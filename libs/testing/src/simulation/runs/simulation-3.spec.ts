import { describeShard } from './describe-shard.js';

describeShard(3, __dirname);
