-- An event into the account's stream; the last event of a call takes it out of the live ones.
--
-- KEYS[1] events (stream)   KEYS[2] live (hash)
-- Sets of caps that count the call (`admit`) are of the same account and slot; their keys stand in its entry of `live`.
-- ARGV[1] the event, JSON   ARGV[2] the call that is over with this event; '' for none
-- returns the id of the stream's new entry
local id = redis.call('XADD', KEYS[1], '*', 'e', ARGV[1])
if ARGV[2] ~= '' then
  local live = redis.call('HGET', KEYS[2], ARGV[2])
  -- Most calls count towards no cap: they are not decoded.
  if live and string.find(live, '"caps"', 1, true) then
    for _, up in ipairs(cjson.decode(live).caps) do
      redis.call('ZREM', up, ARGV[2])
    end
  end
  redis.call('HDEL', KEYS[2], ARGV[2])
end
return id
