-- Applies changes that the caller has decided on, each if what the decision was based on is still so.
--
-- KEYS: the keys that are named in ARGV by their numbers. ARGV: the number of changes, then for each change the number
-- of its checks, for each check its kind, key and two arguments; the number of the words of its effects, and for each
-- effect the number of words that follow, a command, the number of its key and its other arguments.
-- Answers for each change: 0 applied, n its check number n failed, or the text of an error.

local at = 0
local function next()
  at = at + 1
  return ARGV[at]
end

local holds = {
  field = function(key, field) return redis.call('HEXISTS', key, field) == 1 end,
  value = function(key, value) return redis.call('GET', key) == value end,
  absent = function(key) return redis.call('EXISTS', key) == 0 end,
  member = function(key, member) return redis.call('ZSCORE', key, member) ~= false end,
  ['no-member'] = function(key, member) return redis.call('ZSCORE', key, member) == false end,
  ['at-most'] = function(key, member, most)
    local score = redis.call('ZSCORE', key, member)
    return score and tonumber(score) <= tonumber(most)
  end,
  ['no-subscriber'] = function(channel) return subscribers(channel) == 0 end,
}

local answers = {}
for change = 1, tonumber(next()) do
  local answer = 0
  for check = 1, tonumber(next()) do
    local kind, key, argument, other = next(), KEYS[tonumber(next())], next(), next()
    if answer == 0 and not holds[kind](key, argument, other) then
      answer = check
    end
  end
  local last = tonumber(next())
  last = at + last
  while at < last do
    local words = tonumber(next())
    if answer == 0 then
      local done = redis.pcall(ARGV[at + 1], KEYS[tonumber(ARGV[at + 2])], unpack(ARGV, at + 3, at + words))
      if type(done) == 'table' and done.err then
        answer = done.err
      end
    end
    at = at + words
  end
  answers[change] = answer
end
return answers
