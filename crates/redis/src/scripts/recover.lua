-- Makes claims that are still on their way void, and answers the session's new epoch; `false` if the session is over.
-- KEYS: 1 the session.

if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
return redis.call('HINCRBY', KEYS[1], 'epoch', 1)
