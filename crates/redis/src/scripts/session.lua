-- Draws the number of a new session: larger than all before, also if the server lost what it had stored.
--
-- KEYS: 1 the last number.

local number = math.max(server_time(), tonumber(redis.call('GET', KEYS[1]) or 0) + 1)
local text = string.format('%.0f', number)
redis.call('SET', KEYS[1], text)
return text
