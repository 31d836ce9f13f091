-- Events into the account's stream; the last event of a call takes it out of the live ones.
--
-- KEYS[1] events (stream)   KEYS[2] live (hash)
-- Sets of caps that count the call (`admit`) are of the same account and slot; their keys stand in its entry of `live`.
-- ARGV[1] an event, JSON   ARGV[2] the call that is over with it; '' for none   ARGV[3...] more such pairs
-- returns how many events there are new in the stream
for i = 1, #ARGV, 2 do
  redis.call('XADD', KEYS[1], '*', 'e', ARGV[i])
  local over = ARGV[i + 1]
  if over ~= '' then
    local live = redis.call('HGET', KEYS[2], over)
    -- Most calls count towards no cap: they are not decoded.
    if live and string.find(live, '"caps"', 1, true) then
      for _, up in ipairs(cjson.decode(live).caps) do
        redis.call('ZREM', up, over)
      end
    end
    redis.call('HDEL', KEYS[2], over)
  end
end
return #ARGV / 2
