-- The usual settles: of first runs that are done, of tasks of which nothing is known yet. Whatever else is the case,
-- the item is left as it is and answered with `2`: then the caller looks, decides, and applies a change.
--
-- KEYS: 1 what the session holds, then for each item its run record and its result.
-- ARGV: 1 how long results are kept in seconds, then for each item its field and its result ('' if none is kept).
-- Answers for each item: 1 done, 0 not held, 2 look.

local known = redis.call('MGET', unpack(KEYS, 2))
local answers, done = {}, {}
for item = 1, (#KEYS - 1) / 2 do
  local place = 2 * item
  if redis.call('HEXISTS', KEYS[1], ARGV[place]) == 0 then
    answers[item] = 0
  elseif known[place - 1] or known[place] then
    answers[item] = 2
  else
    local result = ARGV[place + 1]
    if result ~= '' then
      redis.call('SETEX', KEYS[place + 1], ARGV[1], result)
      redis.call('PUBLISH', KEYS[place + 1], result)
    end
    answers[item] = 1
    done[#done + 1] = ARGV[place]
  end
end
if #done > 0 then
  redis.call('HDEL', KEYS[1], unpack(done))
end
return answers
