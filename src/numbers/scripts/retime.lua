-- Numbers of a pool are free when what their last page was told is over, and not before a given time: what says otherwise
-- is put right. A number that is free by both accounts keeps its place by age.
--
-- KEYS[1] ends of the pool (zset)   KEYS[2] numbers (hash)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] margin, ms
-- ARGV[3] from when they may be given out, ms since the epoch: the end of their quarantine; 0 for none
-- ARGV[4...] numbers, 1,000 at most
-- returns how many were put right
--- @include "includes/now"
--- @include "includes/log"

local now = now_ms(ARGV[1])
local margin = tonumber(ARGV[2])
local not_before = tonumber(ARGV[3])
local scores = redis.call('ZMSCORE', KEYS[1], unpack(ARGV, 4))
local logs = redis.call('HMGET', KEYS[2], unpack(ARGV, 4))
local scored = {}
for i = 4, #ARGV do
  local score = tonumber(scores[i - 3])
  local entry = newest(logs[i - 3])
  local due = math.max(entry and entry['until'] + margin or 0, not_before)
  if score and score ~= due and (score > now or due > now) then
    scored[#scored + 1] = due
    scored[#scored + 1] = ARGV[i]
  end
end
if #scored > 0 then
  redis.call('ZADD', KEYS[1], 'XX', unpack(scored))
end
return #scored / 2
