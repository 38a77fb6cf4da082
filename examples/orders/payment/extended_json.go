package payment

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// Values of MongoDB's extended JSON, in each of its forms: plain, relaxed, canonical, and
// that of its first version.

// objectID is {"$oid": "…"}, or a text.
type objectID string

func (o *objectID) UnmarshalJSON(text []byte) error {
	var wrapped struct {
		OID string `json:"$oid"`
	}
	if err := json.Unmarshal(text, &wrapped); err == nil {
		*o = objectID(wrapped.OID)
		return nil
	}
	return json.Unmarshal(text, (*string)(o))
}

// long is {"$numberLong": "…"}, {"$numberInt": "…"}, or a number.
type long int64

func (l *long) UnmarshalJSON(text []byte) error {
	var wrapped struct {
		Long string `json:"$numberLong"`
		Int  string `json:"$numberInt"`
	}
	if err := json.Unmarshal(text, &wrapped); err == nil {
		n, err := strconv.ParseInt(wrapped.Long+wrapped.Int, 10, 64)
		*l = long(n)
		return err
	}
	return json.Unmarshal(text, (*int64)(l))
}

// date is {"$date": …} of milliseconds or of RFC 3339, or one of those alone.
type date struct{ time.Time }

func (d *date) UnmarshalJSON(text []byte) error {
	var wrapped struct {
		Date json.RawMessage `json:"$date"`
	}
	if err := json.Unmarshal(text, &wrapped); err == nil && wrapped.Date != nil {
		text = wrapped.Date
	}
	var ms long
	if err := json.Unmarshal(text, &ms); err == nil {
		d.Time = time.UnixMilli(int64(ms)).UTC()
		return nil
	}
	var plain time.Time
	if err := json.Unmarshal(text, &plain); err != nil {
		return fmt.Errorf("%.64s is no date: %w", text, err)
	}
	d.Time = plain.UTC()
	return nil
}
