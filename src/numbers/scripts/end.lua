-- The page says that it is gone: the link ends now, or after a grace in which a heartbeat or the next page of the visit
-- may still keep it; the number is free after the margin. A bucket's link is not one page's to end.
--
-- KEYS[1] links (hash)   KEYS[2] numbers (hash)   KEYS[3] ends of the pool (zset)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] margin, ms   ARGV[3] how many links a number remembers
-- ARGV[4] link   ARGV[5] ids of the sites whose links may be touched, blanks between; '' for any
-- ARGV[6] the pool that KEYS[3] is of   ARGV[7] grace, ms
-- returns {9} ended | {3} was over already | {4} unknown | {11, pool} its number is in that pool now, nothing was done
--- @include "includes/now"
--- @include "includes/link"

local now = now_ms(ARGV[1])
local number, entry, older = link_of(KEYS[1], KEYS[2], ARGV[4], ARGV[5])
if not number then
  return { 4 }
end
if entry.pool ~= ARGV[6] then
  return { 11, entry.pool }
end
if entry['until'] <= now then
  return { 3 }
end
if entry.level == 'bucket' then
  return { 9 }
end
-- The link stays in `links` until its number is given anew, so that a late heartbeat hears "over", not "unknown".
entry['until'] = math.min(entry['until'], now + tonumber(ARGV[7]))
redis.call('HSET', KEYS[2], number, log_of(entry, older, tonumber(ARGV[3])))
redis.call('ZADD', KEYS[3], 'XX', entry['until'] + tonumber(ARGV[2]), number)
return { 9 }
