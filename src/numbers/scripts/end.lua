-- The page says that it is gone: the link ends now, and the number is free after the margin.
--
-- KEYS[1] links (hash)   KEYS[2] numbers (hash)   KEYS[3] ends of the link's pool (zset)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] margin, ms   ARGV[3] how many links a number remembers
-- ARGV[4] link
-- returns {9} ended | {3} was over already | {4} unknown
--- @include "includes/now"
--- @include "includes/log"

local now = now_ms(ARGV[1])
local number = redis.call('HGET', KEYS[1], ARGV[4])
local entry, older = newest(number and redis.call('HGET', KEYS[2], number))
if not entry or entry.link ~= ARGV[4] then
  return { 4 }
end
if entry['until'] <= now then
  return { 3 }
end
-- The link stays in `links` until its number is given anew, so that a late heartbeat hears "over", not "unknown".
entry['until'] = now
redis.call('HSET', KEYS[2], number, log_of(entry, older, tonumber(ARGV[3])))
redis.call('ZADD', KEYS[3], 'XX', now + tonumber(ARGV[2]), number)
return { 9 }
