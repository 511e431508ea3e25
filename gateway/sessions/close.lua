-- Close a hop: keep the state, the reply and what the caller leaves, if the claim is still ours.
--
-- KEYS  1 the session  2 what the caller left  3 the caller's current session
-- ARGV  1 the claim's token  2 the hop's identity  3 its order, or -1  4 now, ms
--       5 the state  6 the reply  7 this session's name
--       8 what is left, or empty  9 whom to remind of it, or empty  10 its time to live, ms
--       11 whether the reply tells what became of an order, 0 or 1
--
-- Another worker's token means that our lease ran out and the hop was done again: its reply is the
-- one that the member sees. Where it was another hop, it knew nothing of our order: so nobody knows
-- what is left, and the next dial asks PostgreSQL.
-- A caller who dialled meanwhile has left what the newer session says.
-- The session is remembered as long as what was left: a late hop of it is no dial.

local s = redis.call('HMGET', KEYS[1], 'token', 'hop', 'reply')
if s[1] ~= ARGV[1] then
    if s[2] == ARGV[2] then
        return {'overtaken', s[3]}
    end
    if ARGV[11] == '1' and redis.call('GET', KEYS[3]) == ARGV[7] then
        redis.call('HDEL', KEYS[2], 'left')
    end
    return {'lost'}
end
redis.call('HSET', KEYS[1],
    'hop', ARGV[2], 'order', ARGV[3], 'replied', ARGV[4], 'state', ARGV[5], 'reply', ARGV[6])
redis.call('HDEL', KEYS[1], 'claim', 'claimed', 'token')
redis.call('PEXPIRE', KEYS[1], ARGV[10])
local current = redis.call('GET', KEYS[3])
if current and current ~= ARGV[7] then
    return {'saved'}
end
-- Also where that is nothing: who finds no word at all asks PostgreSQL.
redis.call('HSET', KEYS[2], 'left', ARGV[8], 'session', ARGV[7], 'remind', ARGV[9])
redis.call('PEXPIRE', KEYS[2], ARGV[10])
return {'saved'}
