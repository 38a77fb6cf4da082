-- Its commit forces the write-ahead log up to here to disk.
SELECT setval(@'pabal_outbox_seen', $1)
