-- Numbers out of a pool, all of them or none. Their holder logs stay, so that a late call can still be told.
--
-- KEYS[1] ends of the pool (zset)   KEYS[2] holders (hash)   KEYS[3] links (hash)   KEYS[4] numbers (hash)
-- KEYS[5] live (hash)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] '1' to take them with live links and calls
-- ARGV[3...] numbers
-- returns {9, how many there were} | {10, numbers that have a live link or a live call ...}
--- @include "includes/now"
--- @include "includes/log"
--- @include "includes/holder"

local now = now_ms(ARGV[1])
local in_call = {}
local calls = redis.call('HGETALL', KEYS[5])
for i = 2, #calls, 2 do
  local call = cjson.decode(calls[i])
  if call['end'] > now then
    in_call[call.number] = true
  end
end

-- First look at all of them, then touch any: a refusal leaves everything as it was.
local busy = { 10 }
local present = {}
local used = {}
for i = 3, #ARGV do
  local number = ARGV[i]
  local score = redis.call('ZSCORE', KEYS[1], number)
  if score then
    present[#present + 1] = number
    local entry
    if tonumber(score) > 0 then
      entry = newest(redis.call('HGET', KEYS[4], number))
      used[#used + 1] = entry and { number, holder_of(entry), entry.link }
    end
    if in_call[number] or (entry and entry['until'] > now) then
      busy[#busy + 1] = number
    end
  end
end
if #busy > 1 and ARGV[2] ~= '1' then
  return busy
end

for _, one in ipairs(used) do
  if redis.call('HGET', KEYS[2], one[2]) == one[1] then
    redis.call('HDEL', KEYS[2], one[2])
  end
  redis.call('HDEL', KEYS[3], one[3])
end
for from = 1, #present, 1000 do
  redis.call('ZREM', KEYS[1], unpack(present, from, math.min(from + 999, #present)))
end
return { 9, #present }
