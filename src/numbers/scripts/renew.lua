-- A heartbeat: the link lives on for as long as it was given to live.
--
-- KEYS[1] links (hash)   KEYS[2] numbers (hash)   KEYS[3] ends of the link's pool (zset)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] margin, ms   ARGV[3] how many links a number remembers
-- ARGV[4] link   ARGV[5] ids of the sites whose links may be touched, blanks between; '' for any
-- returns {2, number, until, endpoint, site, hold} renewed | {3} over | {4} unknown
--- @include "includes/now"
--- @include "includes/log"

local now = now_ms(ARGV[1])
local number = redis.call('HGET', KEYS[1], ARGV[4])
local entry, older = newest(number and redis.call('HGET', KEYS[2], number))
if not entry or entry.link ~= ARGV[4] or (ARGV[5] ~= '' and not string.find(ARGV[5], entry.site, 1, true)) then
  return { 4 }
end
if entry['until'] <= now then
  return { 3 }
end
entry['until'] = math.max(entry['until'], now + entry.hold)
redis.call('HSET', KEYS[2], number, log_of(entry, older, tonumber(ARGV[3])))
redis.call('ZADD', KEYS[3], 'XX', entry['until'] + tonumber(ARGV[2]), number)
return { 2, number, entry['until'], entry.endpoint, entry.site, entry.hold }
