-- Numbers from one pool of an account into another, with their links: a number takes the time along from which it may be
-- given anew, and its newest holder is one of the other pool. Those that are not on offer stay so. Never refuses.
--
-- KEYS[1] ends of the pool that they leave (zset)   KEYS[2] ends of the pool that they go to (zset)
-- KEYS[3] numbers (hash)
-- ARGV[1] id of the pool that they go to   ARGV[2...] numbers, 1,000 at most
-- returns how many of them were on offer
--- @include "includes/adopt"

local scores = redis.call('ZMSCORE', KEYS[1], unpack(ARGV, 2))
local logs = redis.call('HMGET', KEYS[3], unpack(ARGV, 2))
local scored, gone, entries = {}, {}, {}
for i = 2, #ARGV do
  local score, number = scores[i - 1], ARGV[i]
  if score then
    scored[#scored + 1] = score
    scored[#scored + 1] = number
    gone[#gone + 1] = number
  end
  adopt(entries, number, logs[i - 1], ARGV[1])
end
if #entries > 0 then
  redis.call('HSET', KEYS[3], unpack(entries))
end
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  -- Where a number stands in both by mischance, the later time is the one that is safe.
  redis.call('ZADD', KEYS[2], 'GT', unpack(scored))
end
return #gone
