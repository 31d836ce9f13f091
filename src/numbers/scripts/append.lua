-- An event into the account's stream; the last event of a call takes it out of the live ones.
--
-- KEYS[1] events (stream)   KEYS[2] live (hash)
-- ARGV[1] channel that wakes the ledger   ARGV[2] account   ARGV[3] the event, JSON
-- ARGV[4] the call that is over with this event; '' for none
-- returns the id of the stream's new entry
local id = redis.call('XADD', KEYS[1], '*', 'e', ARGV[3])
if ARGV[4] ~= '' then
  redis.call('HDEL', KEYS[2], ARGV[4])
end
redis.call('PUBLISH', ARGV[1], ARGV[2])
return id
