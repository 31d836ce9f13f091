-- May this call be taken, by what its trunk, account and endpoint may have at once and a second? All of them or none count it.
-- A set holds live calls by their end, so that a call whose end nobody told leaves it by itself; `keep` renews, the event
-- `ended` takes out.
--
-- KEYS[1] live (hash)   KEYS[2, 3] KEYS[4, 5] ... of each cap: calls that are up (zset by end), newest starts (zset by start)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] call   ARGV[3] how long it counts unless it is kept, ms
-- ARGV[4, 5] ARGV[6, 7] ... of each cap: calls at once, new ones a second; '' for no limit
-- returns 0, or the place (from 1) of the first cap that is reached
--- @include "includes/now"

local now = now_ms(ARGV[1])
local call = ARGV[2]
local live_ms = tonumber(ARGV[3])
local caps = (#KEYS - 1) / 2

for i = 1, caps do
  local up, starts = KEYS[2 * i], KEYS[2 * i + 1]
  local at_once, a_second = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
  redis.call('ZREMRANGEBYSCORE', up, '-inf', now)
  redis.call('ZREMRANGEBYSCORE', starts, '-inf', now - 1000)
  -- The call asks again when its first endpoint is full and it goes to another, and when its overflow is rung.
  if at_once and not redis.call('ZSCORE', up, call) and redis.call('ZCARD', up) >= at_once then
    return i
  end
  if a_second and not redis.call('ZSCORE', starts, call) and redis.call('ZCARD', starts) >= a_second then
    return i
  end
end

local text = redis.call('HGET', KEYS[1], call)
local entry = text and cjson.decode(text) or { ['end'] = now + live_ms }
-- A leg that rings the overflow at last comes with one cap more.
entry.caps = entry.caps or {}
local counted = {}
for _, up in ipairs(entry.caps) do
  counted[up] = true
end
for i = 1, caps do
  local up, starts = KEYS[2 * i], KEYS[2 * i + 1]
  if ARGV[2 + 2 * i] ~= '' then
    redis.call('ZADD', up, now + live_ms, call)
    redis.call('PEXPIRE', up, live_ms)
    if not counted[up] then
      entry.caps[#entry.caps + 1] = up
    end
  end
  if ARGV[3 + 2 * i] ~= '' then
    redis.call('ZADD', starts, now, call)
    redis.call('PEXPIRE', starts, 1000)
  end
end
if #entry.caps > 0 then
  redis.call('HSET', KEYS[1], call, cjson.encode(entry))
end
return 0
