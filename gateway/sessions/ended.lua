-- The network says that a session is over.
--
-- KEYS  1 the session
--
-- A session that has run out already may not come back as a key without an end.

if redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('HSET', KEYS[1], 'ended', 1)
end
return 1
