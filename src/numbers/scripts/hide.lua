-- Numbers are shown to nobody new. Their links live on, and calls go to their holders: this never refuses.
--
-- KEYS[1] ends of the pool (zset)
-- ARGV[1] a number   ARGV[2...] more of them, 1,000 at most in all
-- returns how many of them were on offer
return redis.call('ZREM', KEYS[1], unpack(ARGV))
