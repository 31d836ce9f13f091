-- A media node still has these calls: they count as live for a while more. Calls that nobody kept are dropped by the way.
--
-- KEYS[1] live (hash)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] how long they count from now, ms
-- ARGV[3...] call ids
-- returns how many of them were known
--- @include "includes/now"

local now = now_ms(ARGV[1])
local until_ms = now + tonumber(ARGV[2])
local known = 0
for i = 3, #ARGV do
  local text = redis.call('HGET', KEYS[1], ARGV[i])
  if text then
    local call = cjson.decode(text)
    call['end'] = math.max(call['end'], until_ms)
    redis.call('HSET', KEYS[1], ARGV[i], cjson.encode(call))
    -- Also where it counted no more: nobody was there to keep it, and it is up.
    for _, up in ipairs(call.caps or {}) do
      redis.call('ZADD', up, call['end'], ARGV[i])
      redis.call('PEXPIREAT', up, math.max(call['end'], redis.call('PEXPIRETIME', up)))
    end
    known = known + 1
  end
end
-- A handful at random each time, as Redis expires keys: what was forgotten goes, and no run takes long.
local some = redis.call('HRANDFIELD', KEYS[1], 20, 'WITHVALUES')
for i = 1, #some, 2 do
  if cjson.decode(some[i + 1])['end'] <= now then
    redis.call('HDEL', KEYS[1], some[i])
  end
end
return known
