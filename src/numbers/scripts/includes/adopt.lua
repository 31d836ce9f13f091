-- Numbers that come into a pool: their newest holder is the pool's from then on, so that his renewals find the number.
--- @include "log"

-- Adds `number` and its log to `fields` (for HSET) where its newest entry is of another pool than `pool`: as one of it.
local function adopt(fields, number, log, pool)
  local entry, older = newest(log)
  if not entry or entry.pool == pool then
    return
  end
  entry.pool = pool
  fields[#fields + 1] = number
  fields[#fields + 1] = older == '' and cjson.encode(entry) or (cjson.encode(entry) .. '\n' .. older)
end
