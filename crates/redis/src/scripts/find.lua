-- Finds the messages in a part of a list that hold a text. KEYS: 1 the list. ARGV: 1 from, 2 to, 3 the text.
-- Answers how many were looked at, then what was found.

local items = redis.call('LRANGE', KEYS[1], ARGV[1], ARGV[2])
local answer = {#items}
for _, item in ipairs(items) do
  if string.find(item, ARGV[3], 1, true) then
    answer[#answer + 1] = item
  end
end
return answer
