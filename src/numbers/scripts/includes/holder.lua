-- The field of the hash `holders` for an entry of the holder log; the same text as holderField() in keys.ts.
local function holder_of(entry)
  return entry.endpoint .. ':' .. entry.site .. ':' .. entry.session
end
