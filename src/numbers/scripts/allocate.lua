-- A number for a holder: the one he has, or of the first pool that has a free one the least recently held.
--
-- KEYS[1] holders (hash)   KEYS[2] links (hash)   KEYS[3] numbers (hash)   KEYS[4...] ends of each candidate pool (zset)
-- ARGV[1] now, ms; '' for Redis's own clock
-- ARGV[2] how long the link lives, ms
-- ARGV[3] margin between a link's end and the number's next use, ms
-- ARGV[4] how many links a number remembers
-- ARGV[5] JSON {endpoint, site, session, visitor?, touch?}
-- ARGV[6] random half of the link id, should one be made
-- ARGV[7...] tag of each candidate pool (its id without `pool_`), in the order of the keys
-- returns {1, number, link, until} given | {2, number, link, until} the holder's own, renewed | {0} nothing free
--- @include "includes/now"
--- @include "includes/log"
--- @include "includes/holder"

local now = now_ms(ARGV[1])
local hold = tonumber(ARGV[2])
local margin = tonumber(ARGV[3])
local length = tonumber(ARGV[4])
local entry = cjson.decode(ARGV[5])
local holder = holder_of(entry)

local own = redis.call('HGET', KEYS[1], holder)
if own then
  local held, older = newest(redis.call('HGET', KEYS[3], own))
  if held and holder_of(held) == holder and held['until'] > now then
    for i = 7, #ARGV do
      -- A link in a pool that may no longer serve this page is left to end; the page gets a number of the right pool.
      if held.pool == 'pool_' .. ARGV[i] then
        -- Never earlier than what a page was told already: holdMs may have been lowered since.
        held['until'] = math.max(held['until'], now + hold)
        held.hold = hold
        redis.call('HSET', KEYS[3], own, log_of(held, older, length))
        redis.call('ZADD', KEYS[i - 3], 'XX', held['until'] + margin, own)
        return { 2, own, held.link, held['until'] }
      end
    end
  end
end

for i = 7, #ARGV do
  local ends = KEYS[i - 3]
  local lowest = redis.call('ZRANGE', ends, 0, 0, 'WITHSCORES')
  local number = lowest[1]
  if number and tonumber(lowest[2]) <= now then
    local log = redis.call('HGET', KEYS[3], number)
    local before = newest(log)
    if before then
      -- Forget the former holder, so that both hashes are bounded by the count of numbers. He may hold another by now.
      local former = holder_of(before)
      if redis.call('HGET', KEYS[1], former) == number then
        redis.call('HDEL', KEYS[1], former)
      end
      redis.call('HDEL', KEYS[2], before.link)
    end
    entry.link = 'lnk_' .. ARGV[i] .. ARGV[6]
    entry.pool = 'pool_' .. ARGV[i]
    entry.startedAt = now
    entry['until'] = now + hold
    entry.hold = hold
    redis.call('HSET', KEYS[1], holder, number)
    redis.call('HSET', KEYS[2], entry.link, number)
    redis.call('HSET', KEYS[3], number, log_of(entry, log or '', length))
    redis.call('ZADD', ends, entry['until'] + margin, number)
    return { 1, number, entry.link, entry['until'] }
  end
end
return { 0 }
