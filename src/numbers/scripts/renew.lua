-- A heartbeat: the link lives on for as long as it was given to live.
--
-- KEYS[1] links (hash)   KEYS[2] numbers (hash)   KEYS[3] ends of the link's pool (zset)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] margin, ms   ARGV[3] how many links a number remembers
-- ARGV[4] link   ARGV[5] ids of the sites whose links may be touched, blanks between; '' for any
-- returns {2, number, until, endpoint, site, hold} renewed | {3} over | {4} unknown
--- @include "includes/now"
--- @include "includes/link"

local now = now_ms(ARGV[1])
local number, entry, older = link_of(KEYS[1], KEYS[2], ARGV[4], ARGV[5])
if not number then
  return { 4 }
end
if entry['until'] <= now then
  return { 3 }
end
entry['until'] = math.max(entry['until'], now + entry.hold)
redis.call('HSET', KEYS[2], number, log_of(entry, older, tonumber(ARGV[3])))
redis.call('ZADD', KEYS[3], 'XX', entry['until'] + tonumber(ARGV[2]), number)
return { 2, number, entry['until'], entry.endpoint, entry.site, entry.hold }
