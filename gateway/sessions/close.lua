-- Close a hop: keep the state and the reply, if the claim is still ours.
--
-- KEYS  1 the session  2 the caller's draft
-- ARGV  1 the claim's token  2 the hop's identity  3 its order, or -1  4 now, ms
--       5 the state  6 the reply  7 time to live, ms  8 the draft, or empty  9 its time to live, ms
--
-- Another worker's token means that our lease ran out and the hop was done again: its reply is the
-- one that the member sees.

local s = redis.call('HMGET', KEYS[1], 'token', 'hop', 'reply')
if s[1] ~= ARGV[1] then
    if s[2] == ARGV[2] then
        return {'overtaken', s[3]}
    end
    return {'lost'}
end
redis.call('HSET', KEYS[1],
    'hop', ARGV[2], 'order', ARGV[3], 'replied', ARGV[4], 'state', ARGV[5], 'reply', ARGV[6])
redis.call('HDEL', KEYS[1], 'claim', 'claimed', 'token')
redis.call('PEXPIRE', KEYS[1], ARGV[7])
if ARGV[8] == '' then
    redis.call('DEL', KEYS[2])
else
    redis.call('SET', KEYS[2], ARGV[8], 'PX', ARGV[9])
end
return {'saved'}
