-- Writes an entry if it has the version that is expected.
--
-- KEYS: 1 the entry, 2 the last version. ARGV: 1 the version; empty: there must be none; "any": whatever stands there,
-- 2 the value, 3 for how many milliseconds it is kept; empty: for ever. Answers the new version; false if it has another one.

local stands = redis.call('GET', KEYS[1])
local version = stands and string.match(stands, '^%d+') or ''
if ARGV[1] ~= 'any' and ARGV[1] ~= version then
  return false
end
-- Larger than all before, also if the server lost what it had stored.
local last = tonumber(redis.call('GET', KEYS[2]) or 0)
local new = string.format('%.0f', math.max(server_time(), last + 1))
redis.call('SET', KEYS[2], new)
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], new .. ' ' .. ARGV[2])
else
  redis.call('SET', KEYS[1], new .. ' ' .. ARGV[2], 'PX', ARGV[3])
end
return new
