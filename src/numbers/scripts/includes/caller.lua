-- What a caller's own key remembers: a JSON list of {number, endpoint, site, level, link, session?, visitor?, at}, the
-- newest first, at most eight numbers; it goes when nothing was added for as long as a redial counts.
local NUMBERS_KEPT = 8

-- The notes that are not older than `keep_ms`.
local function notes_of(text, now, keep_ms)
  local notes = {}
  if text then
    for _, note in ipairs(cjson.decode(text)) do
      if note.at > now - keep_ms then
        notes[#notes + 1] = note
      end
    end
  end
  return notes
end

-- Writes the notes with `note` in the place of the one for its number; without a note, that one is gone.
local function write_notes(key, notes, number, note, keep_ms)
  local kept = {}
  if note then
    kept[1] = note
  end
  for _, other in ipairs(notes) do
    if other.number ~= number and #kept < NUMBERS_KEPT then
      kept[#kept + 1] = other
    end
  end
  if #kept == 0 then
    redis.call('DEL', key)
  else
    redis.call('SET', key, cjson.encode(kept), 'PX', keep_ms)
  end
end
