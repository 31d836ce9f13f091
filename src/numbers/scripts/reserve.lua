-- Numbers into a pool. One that is there already stays as it is; one that was held before (taken out of a pool and put
-- back, or into another) is free when what its last page was told is over, and in its place by age.
--
-- KEYS[1] ends of the pool (zset)   KEYS[2] numbers (hash)
-- ARGV[1] margin, ms   ARGV[2...] numbers, 1,000 at most
-- returns how many were added
--- @include "includes/log"

local margin = tonumber(ARGV[1])
local logs = redis.call('HMGET', KEYS[2], unpack(ARGV, 2))
local scored = {}
for i = 2, #ARGV do
  local entry = newest(logs[i - 1])
  scored[#scored + 1] = entry and entry['until'] + margin or 0
  scored[#scored + 1] = ARGV[i]
end
return redis.call('ZADD', KEYS[1], 'NX', unpack(scored))
