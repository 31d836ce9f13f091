-- A number for a page: the one that its session has, or the person who looks at it, or, in the order that the site wants, a
-- number of its own, one of its bucket, the overflow number; of the first pool that has a free one, the least recently held.
--
-- KEYS[1] holders (hash)   KEYS[2] links (hash)   KEYS[3] numbers (hash)
-- KEYS[4] sessions that are active on the site (zset)   KEYS[5] modes (hash: site -> 'bucket')
-- KEYS[6, 8 ...] ends of each candidate pool (zset)   KEYS[7, 9 ...] traffic of it (hash)
-- ARGV[1] now, ms; '' for Redis's own clock
-- ARGV[2] how long the link lives, ms
-- ARGV[3] margin between a link's end and the number's next use, ms
-- ARGV[4] how many links a number remembers
-- ARGV[5] JSON {endpoint, site, session | bucket and parameters, level, visitor?, touch?, area?, person?}
-- ARGV[6] random half of the link id, should one be made
-- ARGV[7] what is tried, in this order: letters of s (session), b (bucket), o (overflow)
-- ARGV[8] how long a link lives until its page is heard again, ms; 0 for as long as any
-- ARGV[9] share of a pool's numbers that is kept from this visitor, 0 to 1
-- ARGV[10] JSON {endpoint, site, bucket, level, touch?} of his bucket; '' for none
-- ARGV[11] sessions at which buckets begin   ARGV[12] 'above' it, or 'atLeast'   ARGV[13] sessions at which they end
-- ARGV[14] overflow number; '' for none
-- ARGV[15...] tag of each candidate pool (its id without `pool_`), in the order of the keys
-- returns {1, number, link, until, level, confirm} given | {2, ...} the holder's own, renewed; confirm: ms within which the
--         page is to be heard again, 0 where it was   {13, number} the overflow number | {0} nothing
--- @include "includes/now"
--- @include "includes/log"
--- @include "includes/holder"
--- @include "includes/traffic"

local FIRST_POOL_KEY, FIRST_TAG = 6, 15
local MOST_SESSIONS = 8 -- of one person that a number remembers

local now = now_ms(ARGV[1])
local hold = tonumber(ARGV[2])
local margin = tonumber(ARGV[3])
local length = tonumber(ARGV[4])
local entry = cjson.decode(ARGV[5])
local provisional = tonumber(ARGV[8])
local kept_back = tonumber(ARGV[9])

-- The place of the entry's pool among the candidates; nil for a link in a pool that may no longer serve this page: it is
-- left to end, and the page gets a number of the right pool.
local function place_of(held)
  for i = FIRST_TAG, #ARGV do
    if held.pool == 'pool_' .. ARGV[i] then
      return FIRST_POOL_KEY + 2 * (i - FIRST_TAG)
    end
  end
end

-- The number of a field of `holders` with its log, while its link lives; nil otherwise. A number that was found to be held
-- twice is not shown again.
local function live_of(field)
  local number = redis.call('HGET', KEYS[1], field)
  if not number then
    return nil
  end
  local held, older = newest(redis.call('HGET', KEYS[3], number))
  local his = held and (holds(held, field) or (held.person and person_of(held) == field))
  if his and held['until'] > now and not held.ambiguous and place_of(held) then
    return number, held, older
  end
end

-- The page looks again at a number that it has.
local function keep(number, held, older)
  if not held.full then
    held.hold = hold
  end
  -- Never earlier than what a page was told already: the hold may have been lowered since.
  held['until'] = math.max(held['until'], now + held.hold)
  held.seenAt = now
  redis.call('HSET', KEYS[3], number, log_of(held, older, length))
  redis.call('ZADD', KEYS[place_of(held)], 'XX', held['until'] + margin, number)
  return { 2, number, held.link, held['until'], held.level or 'session', held.full and held.hold or 0 }
end

-- A free number for a new entry; nil where no pool has one.
local function take(fresh, keep_back)
  for i = FIRST_TAG, #ARGV do
    local ends = KEYS[FIRST_POOL_KEY + 2 * (i - FIRST_TAG)]
    local traffic = KEYS[FIRST_POOL_KEY + 1 + 2 * (i - FIRST_TAG)]
    local lowest = redis.call('ZRANGE', ends, 0, 0, 'WITHSCORES')
    local number = lowest[1]
    local free = number and tonumber(lowest[2]) <= now
    if free and keep_back > 0 then
      free = redis.call('ZCOUNT', ends, '-inf', now) > keep_back * redis.call('ZCARD', ends)
    end
    if free then
      local log = redis.call('HGET', KEYS[3], number)
      local before = newest(log)
      if before then
        -- Forget the former holder, so that both hashes are bounded by the count of numbers.
        forget(KEYS[1], before, number)
        redis.call('HDEL', KEYS[2], before.link)
      end
      count_link(traffic, now, before, margin, ARGV[6])
      fresh.link = 'lnk_' .. ARGV[i] .. ARGV[6]
      fresh.pool = 'pool_' .. ARGV[i]
      fresh.startedAt = now
      fresh.seenAt = now
      if provisional > 0 then
        fresh.full = hold
        fresh.hold = provisional
      else
        fresh.hold = hold
      end
      fresh['until'] = now + fresh.hold
      redis.call('HSET', KEYS[1], holder_of(fresh), number)
      if fresh.person then
        redis.call('HSET', KEYS[1], person_of(fresh), number)
      end
      redis.call('HSET', KEYS[2], fresh.link, number)
      redis.call('HSET', KEYS[3], number, log_of(fresh, log or '', length))
      redis.call('ZADD', ends, fresh['until'] + margin, number)
      return { 1, number, fresh.link, fresh['until'], fresh.level, fresh.full and fresh.hold or 0 }
    end
  end
end

local holder = holder_of(entry)

-- Counts the session as active until its link would end, whatever number it gets; whether the site is in bucket mode.
local function bucket_mode()
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
  redis.call('ZADD', KEYS[4], now + hold, holder)
  local active = redis.call('ZCARD', KEYS[4])
  local threshold = tonumber(ARGV[11])
  local on = redis.call('HGET', KEYS[5], entry.site) == 'bucket'
  if on and active <= tonumber(ARGV[13]) then
    redis.call('HDEL', KEYS[5], entry.site)
    return false
  end
  if not on and (active > threshold or (ARGV[12] == 'atLeast' and active == threshold)) then
    redis.call('HSET', KEYS[5], entry.site, 'bucket')
    return true
  end
  return on
end

local crowded = ARGV[10] ~= '' and entry.level == 'session' and bucket_mode()

local own, held, older = live_of(holder)

if own and entry.person and held.person and held.person ~= entry.person then
  -- Somebody else signed in on the same device: the number stays with the first one.
  own = nil
end

if entry.person then
  local field = person_of(entry)
  local number, of_person, rest = live_of(field)
  if number then
    if number ~= own then
      -- Two devices of one person: the number that he had first survives, the other one still leads to him.
      if own then
        held.person = entry.person
        redis.call('HSET', KEYS[3], own, log_of(held, older, length))
      end
      redis.call('HSET', KEYS[1], holder, number)
      if not holds(of_person, holder) then
        local also = of_person.also or {}
        if #also == MOST_SESSIONS then
          table.remove(also, 1)
        end
        also[#also + 1] = entry.session
        of_person.also = also
      end
    end
    return keep(number, of_person, rest)
  end
  if own then
    held.person = entry.person
    redis.call('HSET', KEYS[1], field, own)
  end
end

if own then
  return keep(own, held, older)
end

for step in string.gmatch(ARGV[7], '.') do
  local answer
  if step == 's' and not crowded then
    answer = take(entry, kept_back)
  elseif step == 'b' and ARGV[10] ~= '' then
    local shared = cjson.decode(ARGV[10])
    local number, of_bucket, rest = live_of(holder_of(shared))
    answer = number and keep(number, of_bucket, rest) or take(shared, 0)
  elseif step == 'o' and ARGV[14] ~= '' then
    -- Everybody may have it: its log is the last that saw it, and no link is anybody's alone.
    local log = redis.call('HGET', KEYS[3], ARGV[14])
    local last, rest = newest(log)
    entry.level = 'overflow'
    entry.link = 'lnk_' .. (ARGV[FIRST_TAG] or '') .. ARGV[6]
    entry.startedAt = now
    entry.seenAt = now
    entry.hold = hold
    entry['until'] = now + hold
    if last and holder_of(last) == holder then
      entry.startedAt = last.startedAt
    else
      rest = log or ''
    end
    redis.call('HSET', KEYS[3], ARGV[14], log_of(entry, rest, length))
    answer = { 13, ARGV[14] }
  end
  if answer then
    return answer
  end
end
if KEYS[FIRST_POOL_KEY + 1] then
  count_traffic(KEYS[FIRST_POOL_KEY + 1], now, 'none', 1)
end
return { 0 }
