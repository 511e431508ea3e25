-- Open a hop: load the session and claim the hop, or say what became of it.
--
-- KEYS  1 the session  2 the caller's current session  3 what the caller left
--       4 the caller's hops in this minute
-- ARGV  1 this session's name  2 the hop's identity  3 its order, or -1 where the network has none
--       4 now, ms  5 the claim's token  6 the claim's lease, ms  7 the longest silence, ms
--       8 the longest session, ms  9 hops per minute  10 how long a repeat is inferred, ms
--
-- A new session also says which one was the caller's current one before it.
-- A hop is claimed by its first copy. The claim is a lease: a worker that died with it is overtaken.

local session = KEYS[1]
local name, hop, order = ARGV[1], ARGV[2], tonumber(ARGV[3])
local now, token, lease, idle = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local total, rate, inferred = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])

local s = redis.call('HMGET', session,
    'hop', 'order', 'reply', 'replied', 'claim', 'claimed', 'state', 'started')
local last_hop, last_order, reply = s[1], tonumber(s[2]), s[3]
local replied, claim, claimed = tonumber(s[4]), s[5], tonumber(s[6])
local state, started = s[7], tonumber(s[8])

if last_hop and last_hop == hop and (order >= 0 or now - replied <= inferred) then
    return {'repeat', reply}
end
if claim and now - claimed < lease then
    return {claim == hop and 'overlap' or 'busy'}
end
if last_order and order >= 0 and order < last_order then
    return {'stale', reply}
end
if last_order and order >= 0 and order == last_order then
    return {'diverged'}
end
local current = redis.call('GET', KEYS[2])
if started and current ~= name then
    return {'superseded'}
end
if started and (now - started > total or (replied and now - replied > idle)) then
    return {'expired'}
end
local hops = redis.call('INCR', KEYS[4])
if hops == 1 then
    redis.call('PEXPIRE', KEYS[4], 60000)
end
if hops > rate then
    return {'too_fast'}
end

redis.call('HSET', session, 'claim', hop, 'claimed', now, 'token', token)
if not started then
    redis.call('HSET', session, 'started', now)
    redis.call('SET', KEYS[2], name, 'PX', total)
end
redis.call('PEXPIRE', session, total)
if not state then
    return {'new', redis.call('HGET', KEYS[3], 'left'), current or ''}
end
return {'next', state, last_hop, last_order or -1}
