package debezium

import "time"

// Instant is a time as the int64 values of ts_ms, ts_us and ts_ns. They are boxed once per time,
// not once per record.
type Instant struct {
	at                    int64
	Millis, Micros, Nanos any
}

// Set the time; the same time again costs nothing.
func (i *Instant) Set(t time.Time) {
	nanos := t.UnixNano()
	if nanos == i.at && i.Nanos != nil {
		return
	}
	i.at = nanos
	i.Millis, i.Micros, i.Nanos = t.UnixMilli(), t.UnixMicro(), nanos
}
