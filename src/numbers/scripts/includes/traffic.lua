-- What a pool did, by the hour: fields `HOUR:WHAT` of a hash, 49 hours at most.
--   new    links made            none    asked, and nothing was to be had here
--   held   links that a next one followed     heldMs  how long their numbers were taken, margin included
--   gap0 ... gap15  how long numbers had rested before: bin i of floor(log2(seconds + 1))
local HOUR_MS = 3600000
local HOURS_KEPT = 48

local function count_traffic(traffic, now, what, by)
  local hour = math.floor(now / HOUR_MS)
  local count = redis.call('HINCRBY', traffic, hour .. ':' .. what, by)
  if count == by and (what == 'new' or what == 'none') then
    -- The first of its kind in this hour: what is too old goes.
    for _, field in ipairs(redis.call('HKEYS', traffic)) do
      if tonumber(string.match(field, '^(%d+)')) < hour - HOURS_KEPT then
        redis.call('HDEL', traffic, field)
      end
    end
  end
end

-- A number is given anew: how long it was taken before, and how long it rested.
local function count_reuse(traffic, now, before, margin)
  local ended = before['until'] + margin
  count_traffic(traffic, now, 'held', 1)
  count_traffic(traffic, now, 'heldMs', math.max(0, math.floor(ended - before.startedAt)))
  local gap = math.max(0, (now - before['until']) / 1000)
  local bin = math.min(15, math.floor(math.log(gap + 1) / math.log(2)))
  count_traffic(traffic, now, 'gap' .. bin, 1)
end
