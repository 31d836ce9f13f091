-- What a pool did, by the hour: fields `HOUR:WHAT` of a hash, 49 hours at most. One of these a link or a refusal:
--   first            links of numbers that nobody had held
--   gap0 ... gap15   links of numbers that had rested: bin i of floor(log2(seconds + 1))
--   none             asked, and nothing was to be had here
-- and of every 32nd link that followed another one:
--   held, heldMs     how many, and how long their numbers had been taken, margin included
local HOUR_MS = 3600000
local HOURS_KEPT = 48
local LOG2 = math.log(2)

local function count_traffic(traffic, now, what, by)
  local hour = math.floor(now / HOUR_MS)
  if redis.call('HINCRBY', traffic, hour .. ':' .. what, by) == by then
    -- The first of its kind in this hour: what is too old goes, and all of it where the pool is gone.
    redis.call('EXPIRE', traffic, (HOURS_KEPT + 1) * HOUR_MS / 1000)
    for _, field in ipairs(redis.call('HKEYS', traffic)) do
      if tonumber(string.match(field, '^(%d+)')) < hour - HOURS_KEPT then
        redis.call('HDEL', traffic, field)
      end
    end
  end
end

-- A number is given: how long it had rested, and how long it had been taken before. `tail` is the new link's random half.
local function count_link(traffic, now, before, margin, tail)
  if not before then
    count_traffic(traffic, now, 'first', 1)
    return
  end
  local gap = math.max(0, (now - before['until']) / 1000)
  count_traffic(traffic, now, 'gap' .. math.min(15, math.floor(math.log(gap + 1) / LOG2)), 1)
  if string.byte(tail, 1) == 48 then -- '0', one of 32 characters
    count_traffic(traffic, now, 'held', 1)
    count_traffic(traffic, now, 'heldMs', math.max(0, math.floor(before['until'] + margin - before.startedAt)))
  end
end
