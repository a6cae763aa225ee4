-- The usual settles: of first runs that are done, of tasks of which nothing is known yet. Whatever else is the case,
-- the item is left as it is and answered with `2`: then the caller looks, decides, and applies a change.
--
-- KEYS: 1 what the session holds, then for each item its run record, its result, its history.
-- ARGV: 1 how long results are kept in seconds, 2 how long history is kept in seconds or 0 for none, 3 how many runs
-- of a task it has at most; then for each item its field, its result ('' if none is kept), its line of history.
-- Answers for each item: 1 done, 0 not held, 2 look.

local known = redis.call('MGET', unpack(KEYS, 2))
local answers, done = {}, {}
for item = 1, (#KEYS - 1) / 3 do
  local key, argument = 3 * item - 1, 3 * item + 1
  local result, line = ARGV[argument + 1], ARGV[argument + 2]
  if redis.call('HEXISTS', KEYS[1], ARGV[argument]) == 0 then
    answers[item] = 0
  elseif known[key - 1] or known[key] then
    answers[item] = 2
  else
    if result ~= '' then
      redis.call('SETEX', KEYS[key + 1], ARGV[1], result)
      redis.call('PUBLISH', KEYS[key + 1], result)
    end
    if line ~= '' and ARGV[2] ~= '0' then
      redis.call('RPUSH', KEYS[key + 2], line)
      redis.call('LTRIM', KEYS[key + 2], -ARGV[3], -1)
      redis.call('EXPIRE', KEYS[key + 2], ARGV[2])
    end
    answers[item] = 1
    done[#done + 1] = ARGV[argument]
  end
end
if #done > 0 then
  redis.call('HDEL', KEYS[1], unpack(done))
end
return answers
