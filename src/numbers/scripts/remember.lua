-- What the caller's key is to say of a number instead of what the script `resolve` wrote: the call went elsewhere.
--
-- KEYS[1] caller (string)
-- ARGV[1] now, ms; '' for Redis's own clock   ARGV[2] how long a redial counts, ms   ARGV[3] number
-- ARGV[4] JSON of the note, without its time; '' to forget the number
-- returns {9}
--- @include "includes/now"
--- @include "includes/caller"

local now = now_ms(ARGV[1])
local keep_ms = tonumber(ARGV[2])
local note
if ARGV[4] ~= '' then
  note = cjson.decode(ARGV[4])
  note.at = now
end
write_notes(KEYS[1], notes_of(redis.call('GET', KEYS[1]), now, keep_ms), ARGV[3], note, keep_ms)
return { 9 }
