-- A call came: whose number is it? Writes the event `received`, counts the call as live and wakes the ledger.
--
-- KEYS[1] numbers (hash)   KEYS[2] live (hash)   KEYS[3] events (stream)
-- ARGV[1] now, ms; '' for Redis's own clock
-- ARGV[2] channel that wakes the ledger   ARGV[3] account   ARGV[4] number
-- ARGV[5] the pool's default endpoint; '' for none
-- ARGV[6] how long the call counts as live unless it is kept, ms
-- ARGV[7] JSON of the event, as far as it is known before the number is looked up
-- returns {5|6, endpoint, site, session, visitor, link, touch} linked | last holder; visitor and touch may be nil
--         {7} pool default | {8} nobody to call
--- @include "includes/now"
--- @include "includes/log"

local now = now_ms(ARGV[1])
local number = ARGV[4]
local event = cjson.decode(ARGV[7])
local entry = newest(redis.call('HGET', KEYS[1], number))
local reply
if entry then
  local late = entry['until'] <= now
  event.level = 'session'
  event.late = late
  event.why = late and 'lastHolder' or 'linked'
  event.endpoint = entry.endpoint
  event.site = entry.site
  event.session = entry.session
  event.visitor = entry.visitor
  event.link = entry.link
  event.touch = entry.touch
  reply = {
    late and 6 or 5, entry.endpoint, entry.site, entry.session, entry.visitor or false, entry.link, entry.touch or false,
  }
else
  event.level = 'none'
  event.late = false
  if ARGV[5] ~= '' then
    event.endpoint = ARGV[5]
    event.why = 'poolDefault'
    reply = { 7 }
  else
    event.why = 'unknownNumber'
    reply = { 8 }
  end
end

local call = { number = number, endpoint = event.endpoint, trunk = event.trunk, ['end'] = now + tonumber(ARGV[6]) }
redis.call('HSET', KEYS[2], event.call, cjson.encode(call))
redis.call('XADD', KEYS[3], '*', 'e', cjson.encode(event))
redis.call('PUBLISH', ARGV[2], ARGV[3])
return reply
