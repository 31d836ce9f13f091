-- The holder log of a number: JSON objects, one a line, newest first. Only the first line is ever parsed.

-- The newest entry of a log and the text of the older lines ('' when there are none); nil for a number never held.
local function newest(log)
  if not log then
    return nil, ''
  end
  local cut = string.find(log, '\n', 1, true)
  if not cut then
    return cjson.decode(log), ''
  end
  return cjson.decode(string.sub(log, 1, cut - 1)), string.sub(log, cut + 1)
end

-- The text of a log of `entry` before the older lines, `length` lines at most.
local function log_of(entry, older, length)
  local text = cjson.encode(entry)
  if older == '' or length < 2 then
    return text
  end
  local cut = 0
  for _ = 2, length do
    cut = string.find(older, '\n', cut + 1, true)
    if not cut then
      return text .. '\n' .. older
    end
  end
  return text .. '\n' .. string.sub(older, 1, cut - 1)
end
