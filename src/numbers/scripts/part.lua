-- A person takes his devices apart: what he holds is no longer shared with his other sessions, and no longer known as his.
--
-- KEYS[1] holders (hash)   KEYS[2] numbers (hash)
-- ARGV[1] how many links a number remembers   ARGV[2...] fields of `holders` of the person, one for each endpoint
-- returns how many numbers he held
--- @include "includes/log"
--- @include "includes/holder"

local parted = 0
for i = 2, #ARGV do
  local number = redis.call('HGET', KEYS[1], ARGV[i])
  local entry, older = newest(number and redis.call('HGET', KEYS[2], number))
  if entry and entry.person and person_of(entry) == ARGV[i] then
    forget(KEYS[1], entry, number)
    entry.person = nil
    entry.also = nil
    redis.call('HSET', KEYS[1], holder_of(entry), number)
    redis.call('HSET', KEYS[2], number, log_of(entry, older, tonumber(ARGV[1])))
    parted = parted + 1
  end
end
return parted
