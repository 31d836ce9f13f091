-- A heartbeat: the link lives on for as long as it was given to live, and a link that was to be confirmed is.
--
-- KEYS[1] links (hash)   KEYS[2] numbers (hash)   KEYS[3] ends of the pool (zset)
-- KEYS[4...] active sessions (zset) of the sites of ARGV[10...]
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] margin, ms   ARGV[3] how many links a number remembers
-- ARGV[4] link   ARGV[5] ids of the sites whose links may be touched, blanks between; '' for any
-- ARGV[6] the pool that KEYS[3] is of
-- ARGV[7] session of the page; '' for the link's own
-- ARGV[8] number that the page shows, '' when it does not say, or when the link is not of our making
-- ARGV[9] end that the page was told, ms; 0 when it does not say
-- ARGV[10...] ids of sites that count their active sessions
-- returns {2, number, until, endpoint, site, hold, level, 1 when it was confirmed by this} renewed | {3} over | {4} unknown
--         {11, pool} its number is in that pool now, nothing was done | {12} its number was given to another as well
--- @include "includes/now"
--- @include "includes/link"
--- @include "includes/holder"

local now = now_ms(ARGV[1])
local told = tonumber(ARGV[9])

-- The page was told an end that reaches into the time of the number's newest holder: Redis lost what it had promised (a
-- failover), and two pages show one number. Neither of them is guessed.
local function doubly_held()
  if ARGV[8] == '' then
    return false
  end
  local entry, older = newest(redis.call('HGET', KEYS[2], ARGV[8]))
  if not entry or entry.link == ARGV[4] or entry.startedAt >= told then
    return false
  end
  if not entry.ambiguous then
    entry.ambiguous = true
    redis.call('HSET', KEYS[2], ARGV[8], log_of(entry, older, tonumber(ARGV[3])))
  end
  return true
end

local number, entry, older = link_of(KEYS[1], KEYS[2], ARGV[4], ARGV[5])
if not number then
  return doubly_held() and { 12 } or { 4 }
end
if entry.pool ~= ARGV[6] then
  return { 11, entry.pool }
end
-- A later end that the page was told counts, as long as nobody else got the number: a failover lost a heartbeat.
if math.max(entry['until'], ARGV[8] == number and told or 0) <= now then
  return { 3 }
end
local confirmed = 0
if entry.full then
  entry.hold = entry.full
  entry.full = nil
  confirmed = 1
end
entry.seenAt = now
entry['until'] = math.max(entry['until'], now + entry.hold)
redis.call('HSET', KEYS[2], number, log_of(entry, older, tonumber(ARGV[3])))
redis.call('ZADD', KEYS[3], 'XX', entry['until'] + tonumber(ARGV[2]), number)
for i = 10, #ARGV do
  if ARGV[i] == entry.site then
    local session = ARGV[7] ~= '' and ARGV[7] or entry.session
    if session then
      local who = entry.endpoint .. ':' .. entry.site .. ':' .. session
      redis.call('ZADD', KEYS[i - 6], 'XX', now + entry.hold, who)
    end
  end
end
return { 2, number, entry['until'], entry.endpoint, entry.site, entry.hold, entry.level or 'session', confirmed }
