UPDATE pabal_inbox_waiting SET parked = 0, next = NULL WHERE parked AND consumer = $1 AND topic = $2 AND key = $3
