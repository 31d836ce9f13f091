-- Numbers into a pool. One that is there already stays as it is; one that was held before (taken out of a pool and put
-- back, or into another) is free when what its last page was told is over, and in its place by age.
--
-- KEYS[1] ends of the pool (zset)   KEYS[2] numbers (hash)
-- ARGV[1] margin, ms   ARGV[2] id of the pool
-- ARGV[3] from when they may be given out, ms since the epoch: the end of their quarantine; 0 for none
-- ARGV[4...] numbers, 1,000 at most
-- returns how many were added
--- @include "includes/adopt"

local margin = tonumber(ARGV[1])
local not_before = tonumber(ARGV[3])
local logs = redis.call('HMGET', KEYS[2], unpack(ARGV, 4))
local scored, entries = {}, {}
for i = 4, #ARGV do
  local log = logs[i - 3]
  local entry = newest(log)
  scored[#scored + 1] = math.max(entry and entry['until'] + margin or 0, not_before)
  scored[#scored + 1] = ARGV[i]
  adopt(entries, ARGV[i], log, ARGV[2])
end
if #entries > 0 then
  redis.call('HSET', KEYS[2], unpack(entries))
end
return redis.call('ZADD', KEYS[1], 'NX', unpack(scored))
