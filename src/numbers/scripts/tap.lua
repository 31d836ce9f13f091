-- The visitor tapped the number in the page: the call that follows is his, all but certainly.
--
-- KEYS[1] links (hash)   KEYS[2] numbers (hash)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] how many links a number remembers
-- ARGV[3] link   ARGV[4] ids of the sites whose links may be touched, blanks between; '' for any
-- returns {9} noted, also of a link that is over while its number is nobody else's | {4} unknown
--- @include "includes/now"
--- @include "includes/link"

local number, entry, older = link_of(KEYS[1], KEYS[2], ARGV[3], ARGV[4])
if not number then
  return { 4 }
end
entry.tapAt = now_ms(ARGV[1])
redis.call('HSET', KEYS[2], number, log_of(entry, older, tonumber(ARGV[2])))
return { 9 }
