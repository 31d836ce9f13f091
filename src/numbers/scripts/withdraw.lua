-- Numbers out of a pool, all of them or none. Their holder logs stay, so that a late call can still be told.
--
-- KEYS[1] ends of the pool (zset)   KEYS[2] holders (hash)   KEYS[3] links (hash)   KEYS[4] numbers (hash)
-- KEYS[5] live (hash)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] '1' to take them with live links and calls
-- ARGV[3] id of the pool   ARGV[4...] numbers
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

-- First look at all of them, then touch any: a refusal leaves everything as it was. A thousand a command, because
-- everyone waits while a script runs.
local busy = { 10 }
local present = {}
local numbers, holders, links = {}, {}, {} -- of those that were ever held
local shared = {} -- entries that stand in several fields of `holders`: few
for from = 4, #ARGV, 1000 do
  local to = math.min(from + 999, #ARGV)
  local scores = redis.call('ZMSCORE', KEYS[1], unpack(ARGV, from, to))
  local logs = redis.call('HMGET', KEYS[4], unpack(ARGV, from, to))
  for i = from, to do
    local number = ARGV[i]
    local offered = scores[i - from + 1]
    local entry = newest(logs[i - from + 1])
    -- A paused number is not on offer, and may have a holder all the same. One that moved on is another pool's.
    local held = entry and (offered or entry.pool == ARGV[3])
    if offered then
      present[#present + 1] = number
    end
    if held then
      numbers[#numbers + 1] = number
      holders[#holders + 1] = holder_of(entry)
      links[#links + 1] = entry.link
      if entry.also or entry.person then
        shared[#shared + 1] = { entry, number }
      end
    end
    if in_call[number] or (held and entry['until'] > now) then
      busy[#busy + 1] = number
    end
  end
end
if #busy > 1 and ARGV[2] ~= '1' then
  return busy
end

for from = 1, #numbers, 1000 do
  local to = math.min(from + 999, #numbers)
  -- A former holder may hold another number by now.
  local held = redis.call('HMGET', KEYS[2], unpack(holders, from, to))
  local gone = {}
  for i = from, to do
    if held[i - from + 1] == numbers[i] then
      gone[#gone + 1] = holders[i]
    end
  end
  if #gone > 0 then
    redis.call('HDEL', KEYS[2], unpack(gone))
  end
  redis.call('HDEL', KEYS[3], unpack(links, from, to))
end
for _, one in ipairs(shared) do
  forget(KEYS[2], one[1], one[2])
end
for from = 1, #present, 1000 do
  redis.call('ZREM', KEYS[1], unpack(present, from, math.min(from + 999, #present)))
end
return { 9, #present }
