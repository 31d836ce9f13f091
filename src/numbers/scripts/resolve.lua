-- A call came: who may have made it? Returns all that is known, for the application to rank. Writes the event `received`
-- with the same evidence, counts the call as live, and notes for the caller's redial what he is about to reach.
-- Until the application has said more, the call is the newest holder's. A call keeps a live link alive, as a heartbeat
-- does: whoever calls is there.
--
-- KEYS[1] numbers (hash)   KEYS[2] live (hash)   KEYS[3] events (stream)
-- KEYS[4] ends of the number's pool (zset)
-- KEYS[5] the caller's notes (string); absent for an anonymous caller, or where redials do not count
-- ARGV[1] now, ms; '' for Redis's own clock
-- ARGV[2] number
-- ARGV[3] the pool's default endpoint; '' for none
-- ARGV[4] how long the call counts as live unless it is kept, ms
-- ARGV[5] JSON of the event, as far as it is known before the number is looked up
-- ARGV[6] how long a redial counts, ms   ARGV[7] margin, ms   ARGV[8] how many links a number remembers
-- ARGV[9] the pool that KEYS[4] is of: a link of another one (a move is under way) is left as it is
-- returns {now, holder log, caller's notes}; the texts are '' where there are none
--- @include "includes/now"
--- @include "includes/log"
--- @include "includes/caller"

local now = now_ms(ARGV[1])
local number = ARGV[2]
local keep_ms = tonumber(ARGV[6])
local event = cjson.decode(ARGV[5])
local log = redis.call('HGET', KEYS[1], number)
local entry, older = newest(log)

-- The entries of the log as evidence; of touches only the newest goes into the event, for they are long.
local LEFT_OUT = { 'touch', 'pool', 'hold', 'full', 'also' }
if entry then
  local evidence = {}
  for line in string.gmatch(log, '[^\n]+') do
    local one = cjson.decode(line)
    one.level = one.level or 'session'
    one.seenAt = one.seenAt or one.startedAt
    for _, name in ipairs(LEFT_OUT) do
      one[name] = nil
    end
    evidence[#evidence + 1] = one
  end
  event.evidence = evidence
end

if entry and entry.ambiguous then
  event.level = 'none'
  event.late = entry['until'] <= now
  event.why = 'ambiguous'
  event.ambiguous = true
  event.endpoint = ARGV[3] ~= '' and ARGV[3] or entry.endpoint
elseif entry then
  event.level = entry.level or 'session'
  event.late = entry['until'] <= now
  event.why = event.late and 'lastHolder' or 'linked'
  for _, name in ipairs({ 'endpoint', 'site', 'session', 'visitor', 'person', 'bucket', 'parameters', 'link', 'touch' }) do
    event[name] = entry[name]
  end
else
  event.level = 'none'
  event.late = false
  event.why = ARGV[3] ~= '' and 'poolDefault' or 'unknownNumber'
  event.endpoint = ARGV[3] ~= '' and ARGV[3] or nil
end

local before = KEYS[5] and redis.call('GET', KEYS[5])
if KEYS[5] then
  local notes = notes_of(before, now, keep_ms)
  local note
  for _, one in ipairs(notes) do
    if one.number == number then
      event.redial = cjson.decode(cjson.encode(one))
      note = one
    end
  end
  if not note and entry and not entry.ambiguous then
    note = { number = number, level = event.level }
    for _, name in ipairs({ 'endpoint', 'site', 'session', 'visitor', 'link' }) do
      note[name] = entry[name]
    end
  end
  if note then
    note.at = now
    write_notes(KEYS[5], notes, number, note, keep_ms)
  end
end

local endpoint = event.redial and event.redial.endpoint or event.endpoint
local call = { number = number, endpoint = endpoint, trunk = event.trunk, ['end'] = now + tonumber(ARGV[4]) }
redis.call('HSET', KEYS[2], event.call, cjson.encode(call))
redis.call('XADD', KEYS[3], '*', 'e', cjson.encode(event))

if entry and entry['until'] > now and entry.pool == ARGV[9] and not entry.ambiguous and entry.level ~= 'overflow' then
  entry.hold = entry.full or entry.hold
  entry.full = nil
  entry['until'] = math.max(entry['until'], now + entry.hold)
  redis.call('HSET', KEYS[1], number, log_of(entry, older, tonumber(ARGV[8])))
  redis.call('ZADD', KEYS[4], 'XX', entry['until'] + tonumber(ARGV[7]), number)
end
return { now, log or '', before or '' }
