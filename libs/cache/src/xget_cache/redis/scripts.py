"""Lua that runs as one step in the server. Time is the server's: clocks of processes may differ by minutes."""

from typing import Final

TAKE: Final = """
local time = redis.call('TIME')
local counts, free = {}, true
for i, key in ipairs(KEYS) do
  local window = math.floor(tonumber(time[1]) / tonumber(ARGV[2 * i]))
  local kept = redis.call('HMGET', key, 'window', 'count')
  counts[i] = tonumber(kept[1]) == window and tonumber(kept[2]) or 0
  free = free and counts[i] < tonumber(ARGV[2 * i - 1])
end
if free then
  for i, key in ipairs(KEYS) do
    local seconds = tonumber(ARGV[2 * i])
    redis.call('HSET', key, 'window', math.floor(tonumber(time[1]) / seconds), 'count', counts[i] + 1)
    redis.call('EXPIRE', key, seconds + 1)
  end
end
return {time[1], time[2], unpack(counts)}
"""
"""KEYS: a counter per quota. ARGV: limit and seconds of each. Gives the time and the counts before this one."""

ACQUIRE: Final = """
local held = redis.call('HMGET', KEYS[1], 'nonce', 'token')
if held[1] and held[1] ~= ARGV[1] then return false end
local token = held[2]
if not token then
  local time = redis.call('TIME')
  local last = tonumber(redis.call('GET', KEYS[2]) or '0')
  token = string.format('%.0f', math.max(last + 1, tonumber(time[1]) * 1000000 + tonumber(time[2])))
  redis.call('SET', KEYS[2], token, 'EX', 604800)
  redis.call('HSET', KEYS[1], 'nonce', ARGV[1], 'token', token)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return token
"""
"""KEYS: the lock, its last token. ARGV: the taker's nonce, TTL in ms. Gives the token, to the same nonce the same.

The token is the server's time in µs or one more than the last: it grows even when the server lost its data.
"""

RENEW: Final = """
if redis.call('HGET', KEYS[1], 'nonce') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

RELEASE: Final = """
if redis.call('HGET', KEYS[1], 'nonce') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""

PROBE: Final = "redis.call('SET', KEYS[1], redis.call('TIME')[1], 'PX', 1000) return 1"
"""At the start: may scripts run here, and write?"""
